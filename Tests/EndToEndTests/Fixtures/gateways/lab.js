'use strict';
// A laboratory's gateway, in our own words: tasks connect to /internal/warm/{taskId}, users come by REST alone. An upgrade
// of any other path gets no byte, and nothing is bridged to anybody.
const fs = require('fs');
const http = require('http');
const path = require('path');
const express = require('express');
const { WebSocketServer } = require('ws');
const witness = require('./witness.js');

const options = witness.options({ port: 0, log: '', workspace: '', env: 'lab' });
const log = witness.log(options.log);
const tasks = new Map();

const warm = () => [...tasks.values()].filter((task) => !task.assignedAt);

function makeDirectory(userId) {
  if (options.workspace) fs.mkdirSync(path.join(options.workspace, options.env, userId), { recursive: true, mode: 0o700 });
}

const app = express();
app.use(express.json());

app.get('/api/status', (request, response) => {
  const all = [...tasks.values()];
  response.json({
    warmCount: warm().length,
    assignedCount: all.filter((task) => task.assignedAt).length,
    tasks: all.map(({ taskId, state, userId, connectedAt, assignedAt }) => ({ taskId, state, userId, connectedAt, assignedAt })),
    efsMounted: Boolean(options.workspace),
  });
});

app.post('/api/acquire', (request, response) => {
  const begun = Date.now();
  const { userId, sessionId } = request.body;
  if (typeof userId !== 'string' || !/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(userId)) {
    log('refused', { userId });
    return response.status(400).json({ success: false, error: 'userId is required' });
  }
  const task = warm()[0];
  if (!task) {
    log('miss', { userId });
    return response.json({ success: false, error: 'No warm tasks available', warmCount: 0 });
  }
  Object.assign(task, { state: 'assigned', assignedAt: new Date().toISOString(), owner: userId });
  makeDirectory(userId);
  task.socket.send(JSON.stringify({ type: 'init_user_session', userId, sessionId, env: options.env }));
  log('acquire', { taskId: task.taskId, userId });
  response.json({ success: true, taskId: task.taskId, userId, sessionId, latency: Date.now() - begun });
});

app.post('/api/release', (request, response) => {
  const task = tasks.get(request.body.taskId);
  if (!task || !task.assignedAt) {
    log('release_refused', { taskId: request.body.taskId });
    return response.status(404).json({ success: false, error: 'Task not found' });
  }
  tasks.delete(task.taskId);
  task.socket.close(1000, 'released');
  log('release', { taskId: task.taskId, userId: task.owner });
  response.json({ success: true, taskId: task.taskId });
});

const server = http.createServer(app);
const sockets = new WebSocketServer({ noServer: true });

server.on('upgrade', (request, socket, head) => {
  const match = /^\/internal\/warm\/([^/?]+)$/.exec(request.url);
  if (!match) {
    log('upgrade_closed', { path: request.url });
    return socket.destroy();
  }
  sockets.handleUpgrade(request, socket, head, (connection) => addTask(match[1], connection));
});

function addTask(taskId, socket) {
  const task = { taskId, state: 'warm', connectedAt: new Date().toISOString(), socket };
  tasks.set(taskId, task);
  log('task_connected', { taskId });
  socket.on('error', () => {});
  socket.on('close', () => {
    // A released one is gone already.
    if (tasks.get(taskId) === task) tasks.delete(taskId);
    log('task_closed', { taskId });
  });
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    if (message.type !== 'user_session_ready') return;
    // The status shows a user when the task has confirmed.
    task.userId = task.owner;
    log('session_ready', { taskId, userId: message.userId });
  });
}

witness.serve(server, options.port);
