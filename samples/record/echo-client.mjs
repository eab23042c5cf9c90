// Talks to an echo server with npm `ws`.
//
//     node echo-client.mjs PORT
import WebSocket from 'ws';

const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/echo`, ['echo.v1', 'echo.v2']);
const words = ['one', 'a text that is long enough to be worth compressing: '.repeat(4), 'zwölf €', Buffer.from([1, 2, 3])];
socket.on('message', (data) => {
  console.log('echo', data.length);
  const next = words.shift();
  // Long enough for a ping of the server to come in between.
  if (next) setTimeout(() => socket.send(next), 250);
  else socket.close(1000, 'done');
});
socket.on('open', () => socket.send(words.shift()));
socket.on('close', (code) => console.log('closed', code));
