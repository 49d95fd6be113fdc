'use strict';
// A product's session gateway, in our own words: sessions by REST with a bearer's token, a WebSocket at the root with the token
// in its URL, no task before the first message, streamed answers. What a message asks for by a word in brackets is for the
// tests: [ask] a question in the middle of the answer, [fail] a task that could not be restarted, [cut] a connection that
// ends before the answer, [old] the names of older builds.
const http = require('http');
const crypto = require('crypto');
const express = require('express');
const { WebSocketServer } = require('ws');
const witness = require('./witness.js');

const options = witness.options({
  port: 0,
  log: '',
  name: 'node', // of this node, in its answers
  tokens: 'token-1', // valid ones, by commas
  expired: 'expired-token',
  capacity: 1e9, // sessions by REST; beyond it: 503
  warm: 1e9, // tasks that need no start
  'start-delay': 0, // of a cold task, in ms
  think: 5, // before the first chunk, in ms
  chunks: 5,
  'chunk-delay': 2, // in ms
  'idle-limit': 60000, // without a message or ping, in ms
  'recover-within': 30000, // in ms
  'says-source': 'no', // whether it tells a warm start from a cold one
});
const log = witness.log(options.log);
const tokens = new Set(options.tokens.split(','));
const now = () => process.hrtime.bigint();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// MARK: Sessions by REST

const rest = new Map();
let idle = options.warm;
const app = express();
app.use(express.json());

app.use('/api', (request, response, next) => {
  const token = (request.get('authorization') || '').replace(/^Bearer /, '');
  if (tokens.has(token)) {
    request.token = token;
    return next();
  }
  const isExpired = token === options.expired;
  log('unauthorized', { isExpired, path: request.path });
  response.status(401).json({
    error: isExpired
      ? { message: 'Token expired', code: 'TOKEN_EXPIRED' }
      : { message: 'Missing or unknown token', code: 'UNAUTHORIZED' },
  });
});

app.post('/api/sessions', (request, response) => {
  if (rest.size >= options.capacity) {
    log('rest_refused', {});
    return response.status(503).json({ error: { message: 'No capacity', code: 'NO_CAPACITY' } });
  }
  const id = crypto.randomUUID();
  rest.set(id, { userId: request.body.userId });
  log('rest_created', { id, userId: request.body.userId });
  const told = options['says-source'] === 'yes' ? { source: 'warm' } : {};
  response.status(201).json({ id, createdAt: new Date().toISOString(), node: options.name, ...told });
});

app.delete('/api/sessions/:id', (request, response) => {
  const known = rest.delete(request.params.id);
  log(known ? 'rest_deleted' : 'rest_unknown', { id: request.params.id });
  if (!known) return response.status(404).json({ error: { message: `${options.name} has no such session`, code: 'NOT_FOUND' } });
  response.status(204).end();
});

// MARK: Sessions over a WebSocket

const sessions = new Map();
const server = http.createServer(app);
const sockets = new WebSocketServer({ noServer: true });

server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  const url = new URL(request.url, 'http://gateway');
  const refuse = (line) => {
    log('upgrade_refused', { path: url.pathname, line });
    socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };
  if (url.pathname !== '/') return refuse('404 Not Found');
  const token = url.searchParams.get('token');
  if (token !== options.expired && !tokens.has(token)) return refuse('401 Unauthorized');
  sockets.handleUpgrade(request, socket, head, (connection) => {
    if (token === options.expired) {
      log('expired', {});
      send(connection, failure('Token expired', 'TOKEN_EXPIRED'));
      return connection.close(4001, 'token expired');
    }
    open(connection, token, url.searchParams.get('session'));
  });
});

const failure = (message, code) => ({ type: 'error', error: { message, code } });

function send(connection, message) {
  if (connection && connection.readyState === 1) connection.send(JSON.stringify(message));
}

function open(connection, token, wanted) {
  const known = sessions.get(wanted);
  const session = known && known.token === token
    ? known
    : { id: crypto.randomUUID(), token, task: null, queue: [], isBusy: false, missed: [], answers: 0 };
  // The end of the old connection may still be on its way through a proxy.
  const before = session.connection;
  session.connection = connection;
  before?.terminate();
  sessions.set(session.id, session);
  if (session === known) {
    clearTimeout(session.forgetting);
    log('session_recovered', { session: session.id, missed: session.missed.length });
    send(connection, { type: 'session_recovered', sessionId: session.id });
    for (const message of session.missed.splice(0)) send(connection, message);
  } else {
    log('session_opened', { session: session.id });
    send(connection, { type: 'session_ready', sessionId: session.id });
  }
  let cut;
  const isAlive = () => {
    clearTimeout(cut);
    cut = setTimeout(() => {
      log('idle_cut', { session: session.id });
      connection.terminate();
    }, options['idle-limit']);
  };
  isAlive();
  connection.on('error', () => {});
  connection.on('message', (data) => {
    const received = now();
    isAlive();
    take(session, JSON.parse(data), received);
  });
  connection.on('close', (code) => {
    clearTimeout(cut);
    if (session.connection !== connection) return;
    session.connection = null;
    log('session_closed', { session: session.id, code });
    // One that says goodbye is over, one that is gone may come back.
    if (code === 1000) return end(session);
    session.forgetting = setTimeout(() => end(session), options['recover-within']);
  });
}

function end(session) {
  sessions.delete(session.id);
  // A warm task's place is filled again.
  if (session.task?.isWarm) idle += 1;
  session.task = null;
  session.abort?.();
}

/** To the session's user, or kept for its return. */
function tell(session, message) {
  if (session.connection?.readyState === 1) send(session.connection, message);
  else session.missed.push(message);
}

function take(session, message, received) {
  switch (message.type) {
    case 'ping':
      log('ping', { session: session.id });
      return send(session.connection, { type: 'pong' });
    case 'message':
      session.queue.push({ text: String(message.message), conversation: message.conversation_id, received });
      return work(session);
    case 'answer_question':
      return session.answered?.(message.answer);
    case 'abort':
      return session.abort?.();
    case 'update_token':
      if (tokens.has(message.token)) session.token = message.token;
      return;
    default:
      send(session.connection, failure(`Unknown message type: ${message.type}`, 'UNKNOWN_MESSAGE'));
  }
}

/** Answers what is queued, one after the other. */
async function work(session) {
  if (session.isBusy) return;
  session.isBusy = true;
  while (session.queue.length && sessions.has(session.id)) {
    const question = session.queue.shift();
    const source = session.task ? 'running' : await startTask(session);
    await answer(session, question, source);
  }
  session.isBusy = false;
}

/** The lazy start: of a warm task, or of a cold one. */
async function startTask(session) {
  const isWarm = idle > 0;
  if (isWarm) idle -= 1;
  else await pause(options['start-delay']);
  session.task = { isWarm };
  return isWarm ? 'warm' : 'cold';
}

async function answer(session, question, source) {
  const wants = (word) => question.text.includes(`[${word}]`);
  const [delta, finish] = wants('old') ? ['text', 'complete'] : ['text_delta', 'finish'];
  let isAborted = false;
  session.abort = () => {
    isAborted = true;
    session.answered?.();
  };
  tell(session, { type: 'thinking' });
  if (wants('fail')) {
    session.task = null;
    log('failed', { session: session.id });
    return tell(session, failure('The task could not be restarted', 'TASK_RESTART_FAILED'));
  }
  if (wants('cut')) {
    log('cut', { session: session.id });
    return session.connection?.terminate();
  }
  const told = options['says-source'] === 'yes' && source !== 'running' ? { source } : {};
  tell(session, { type: 'progress', message: 'working', ...told });
  await pause(options.think);
  const stamps = [];
  for (let n = 0; n < options.chunks && !isAborted; n += 1) {
    if (n > 0) await pause(options['chunk-delay']);
    if (n === 1 && wants('ask')) await ask(session);
    // Before it is written: a client may have it before this process goes on.
    stamps.push(now());
    tell(session, { type: delta, text: `chunk ${n} ` });
  }
  const finished = now();
  tell(session, { type: finish, usage: { input_tokens: question.text.length, output_tokens: stamps.length }, aborted: isAborted });
  const since = (stamp) => Number(stamp - question.received);
  session.answers += 1;
  log('answer', {
    session: session.id,
    n: session.answers,
    source,
    chunks: stamps.length,
    firstChunkNs: stamps.length ? since(stamps[0]) : null,
    finishNs: since(finished),
    longestGapNs: stamps.slice(1).concat(finished).reduce((gap, stamp, i) => Math.max(gap, Number(stamp - stamps[i])), 0),
  });
}

async function ask(session) {
  const reply = await new Promise((done) => {
    session.answered = done;
    tell(session, { type: 'ask_question', question_id: crypto.randomUUID(), question: 'May I go on?' });
    log('question', { session: session.id });
  });
  session.answered = null;
  log('question_answered', { session: session.id, answer: reply });
}

witness.serve(server, options.port);
