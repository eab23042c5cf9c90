// A server of WebSockets over HTTP/2 (RFC 8441): Node.js http2, and npm ws on each stream. Without TLS, or with it:
// node node-server.mjs PORT [CERTIFICATE KEY]
// Says what it sends and hears, a line of JSON each.
import http2 from 'node:http2';
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { createRequire } from 'node:module';
const PerMessageDeflate = createRequire(import.meta.url)('./node_modules/ws/lib/permessage-deflate.js');

const say = (words) => console.log(JSON.stringify(words));
const [port, cert, key] = process.argv.slice(2);
const settings = { enableConnectProtocol: true };
const server = cert
  ? http2.createSecureServer({ settings, cert: readFileSync(cert), key: readFileSync(key) })
  : http2.createServer({ settings });

/** A WebSocket on a stream that is open. */
export function webSocketOn(stream, isServer, deflate) {
  const ws = new WebSocket(null, undefined, { autoPong: true, closeTimeout: 5000 });
  ws._isServer = isServer;
  if (deflate) ws._extensions[PerMessageDeflate.extensionName] = deflate;
  stream.setNoDelay ??= () => {};
  ws.setSocket(stream, Buffer.alloc(0), { maxPayload: 1 << 20, skipUTF8Validation: false, allowSynchronousEvents: true });
  return ws;
}

server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  const path = headers[':path'];
  if (headers[':method'] !== 'CONNECT' || headers[':protocol'] !== 'websocket') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    return stream.end('hello over HTTP/2\n');
  }
  if (path === '/nothing-here') {
    stream.respond({ ':status': 404, 'content-type': 'text/plain' });
    return stream.end('no such room\n');
  }
  const answer = { ':status': 200 };
  if (headers['sec-websocket-protocol']) answer['sec-websocket-protocol'] = 'chat';
  let deflate;
  if (headers['sec-websocket-extensions']) {
    deflate = new PerMessageDeflate({ threshold: 0, isServer: true, maxPayload: 1 << 20 }, true, 1 << 20);
    const accepted = deflate.accept([{ client_max_window_bits: [true] }]);
    answer['sec-websocket-extensions'] = 'permessage-deflate';
    void accepted;
  }
  stream.respond(answer);
  const ws = webSocketOn(stream, true, deflate);
  ws.on('message', (data, binary) => {
    say({ stream: path, from: 'client', binary, data: binary ? data.toString('hex') : data.toString() });
    const reply = binary ? data : `you said: ${data}`;
    say({ stream: path, from: 'server', binary, data: binary ? reply.toString('hex') : reply });
    ws.send(reply, { binary });
  });
  ws.on('close', (code, reason) => say({ stream: path, close: code, reason: reason.toString() }));
});
server.listen(Number(port), '127.0.0.1', () => say('ready'));
process.on('SIGTERM', () => process.exit(0));
