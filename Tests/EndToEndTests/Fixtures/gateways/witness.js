'use strict';
// What both gateways share: their options, their log and their end.
const fs = require('fs');

/** Options as `--name value`; an unknown one is an error. `defaults` names them all, and a number there wants a number. */
function options(defaults) {
  const values = { ...defaults };
  const words = process.argv.slice(2);
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    if (!(name in defaults) || words[i + 1] === undefined) throw new Error(`unknown option or no value: ${words[i]}`);
    values[name] = typeof defaults[name] === 'number' ? Number(words[i + 1]) : words[i + 1];
    if (Number.isNaN(values[name])) throw new Error(`no number: ${words[i]} ${words[i + 1]}`);
  }
  return values;
}

/** A log of JSON lines, each written before the gateway goes on. `ms` is of the monotonic clock. Without a path: none. */
function log(path) {
  if (!path) return () => {};
  const file = fs.openSync(path, 'a');
  return (event, fields) => {
    const ms = Number(process.hrtime.bigint() / 1000n) / 1000;
    fs.writeSync(file, JSON.stringify({ event, ms, ...fields }) + '\n');
  };
}

/** Listens on loopback and says where; ends with standard input, so that a gateway never outlives its test. */
function serve(server, port) {
  process.stdin.on('end', () => process.exit(0)).resume();
  server.listen(port, '127.0.0.1', 4096, () => {
    console.log(JSON.stringify({ event: 'ready', port: server.address().port }));
  });
}

module.exports = { options, log, serve };
