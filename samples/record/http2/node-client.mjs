// A client of WebSockets over HTTP/2: three on one connection, one that is refused, one that is cancelled, and a
// page beside them. Without TLS, or with it: node [--tls-keylog=FILE] node-client.mjs PORT [tls]
import http2 from 'node:http2';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { createRequire } from 'node:module';
const PerMessageDeflate = createRequire(import.meta.url)('./node_modules/ws/lib/permessage-deflate.js');

const [port, tls] = process.argv.slice(2);
const [scheme, authority] = [tls ? 'https' : 'http', `127.0.0.1:${port}`];
const session = http2.connect(`${scheme}://${authority}`, { rejectUnauthorized: false });
await once(session, 'remoteSettings');

async function connect(path, more = {}) {
  const stream = session.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': scheme, ':path': path, ':authority': authority,
    'sec-websocket-version': '13', origin: `${scheme}://${authority}`, ...more,
  }, { endStream: false });
  stream.on('error', () => {});
  const [headers] = await once(stream, 'response');
  return { stream, headers };
}

function webSocketOn(stream, headers) {
  const ws = new WebSocket(null, undefined, { autoPong: true, closeTimeout: 5000 });
  ws._isServer = false;
  if (headers['sec-websocket-extensions']) {
    const deflate = new PerMessageDeflate({ threshold: 0, isServer: false, maxPayload: 1 << 20 }, false, 1 << 20);
    deflate.accept([{}]);
    ws._extensions[PerMessageDeflate.extensionName] = deflate;
  }
  stream.setNoDelay ??= () => {};
  ws.setSocket(stream, Buffer.alloc(0), { maxPayload: 1 << 20, skipUTF8Validation: false, allowSynchronousEvents: true });
  return ws;
}
const reply = async (ws) => (await once(ws, 'message'))[0];

const page = session.request({ ':path': '/' });
page.resume();
await once(page, 'end');

const plain = await connect('/plain', { 'sec-websocket-protocol': 'chat, superchat' });
const packed = await connect('/packed', { 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' });
const [one, two] = [webSocketOn(plain.stream, plain.headers), webSocketOn(packed.stream, packed.headers)];
one.send('hello');
two.send('hello, hello, hello, hello');
await Promise.all([reply(one), reply(two)]);
one.send(Buffer.from([0, 1, 2, 255]));
two.send('héllo wörld 你好');
await Promise.all([reply(one), reply(two)]);
one.ping('still there?');
await once(one, 'pong');
one.send('x'.repeat(40000));
await reply(one);

const refused = await connect('/nothing-here');
refused.stream.resume();
await once(refused.stream, 'end');

const third = await connect('/cancelled');
const cancelled = webSocketOn(third.stream, third.headers);
cancelled.send('I will be gone soon');
await reply(cancelled);
third.stream.close(http2.constants.NGHTTP2_CANCEL);
await sleep(100);

one.close(1000, 'bye');
two.close(1001);
await Promise.all([once(one, 'close'), once(two, 'close')]);
session.close();
await once(session, 'close');
