// The two ends of a WebSocket on npm `ws`: node [--tls-keylog=FILE] ends.mjs server|client OPTIONS
// The options are those of talk.py; what an end has sent and received is written as there.

import fs from 'node:fs';
import https from 'node:https';
import { WebSocket, WebSocketServer } from 'ws';

const [role, json] = process.argv.slice(2);
const options = JSON.parse(json);
const says = ['hello', 'Grüße, 世界 👋', Buffer.from([...Array(48).keys()]), 'long '.repeat(330)];
const shown = (data) => (typeof data === 'string' ? { text: data } : { hex: data.toString('hex') });
const tls = () => {
  const { version, cipher } = options.tls;
  const name = version && `TLSv${version}`;
  return { minVersion: name, maxVersion: name, ciphers: cipher, ecdhCurve: options.group };
};
const defined = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
const logs = [];
const write = () => fs.writeFileSync(options.log, JSON.stringify(logs));
const wanted = options.connections ?? 1;

function log() {
  const one = { sent: [], received: [] };
  logs.push(one);
  return {
    send: (data) => (one.sent.push(shown(data)), data),
    receive: (data, isBinary) => {
      const message = isBinary ? data : data.toString();
      one.received.push(shown(message));
      return message;
    },
  };
}

function serve() {
  const [cert, key] = options.certificate.map((file) => fs.readFileSync(file));
  const server = https.createServer({ cert, key, ...defined(tls()) });
  const room = new WebSocketServer({ server, perMessageDeflate: Boolean(options.deflate) });
  let over = 0;
  room.on('connection', (socket) => {
    const one = log();
    socket.send(one.send('welcome'));
    socket.on('message', (data, isBinary) => {
      const message = one.receive(data, isBinary);
      const text = () => `you said ${[...message].length}: ${[...message].slice(0, 40).join('')}`;
      socket.send(one.send(isBinary ? Buffer.from(message).reverse() : text()));
    });
    socket.on('close', () => {
      over += 1;
      if (over === wanted) {
        write();
        server.close();
        server.closeAllConnections();
      }
    });
  });
  server.listen(8443, '127.0.0.1', () => console.log('ready'));
}

function talk(agent) {
  return new Promise((done, fail) => {
    const one = log();
    const lookup = (_name, how, tell) =>
      how.all ? tell(null, [{ address: '127.0.0.1', family: 4 }]) : tell(null, '127.0.0.1', 4);
    const socket = new WebSocket('wss://chat.example:8443/room', {
      agent, lookup, rejectUnauthorized: false, perMessageDeflate: Boolean(options.deflate),
    });
    const left = [...says];
    socket.on('message', (data, isBinary) => {
      one.receive(data, isBinary);
      if (left.length) socket.send(one.send(left.shift()));
      else socket.close(1000, 'bye');
    });
    socket.on('close', done);
    socket.on('error', fail);
  });
}

if (role === 'server') {
  serve();
} else {
  // An agent keeps sessions, which later connections resume.
  const agent = new https.Agent({ rejectUnauthorized: false, ...defined(tls()) });
  for (let number = 0; number < wanted; number++) await talk(agent);
  write();
}
