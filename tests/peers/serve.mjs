// npm ws at an echo: messages of all sizes with these deflate options, a ping, and a close with a code.
// serve.mjs LIBRARIES URL [DEFLATE as JSON]
import { createRequire } from 'node:module';
const { WebSocket } = createRequire(process.argv[2] + '/')('ws');
const perMessageDeflate = process.argv[4] ? { threshold: 0, ...JSON.parse(process.argv[4]) } : false;
const socket = new WebSocket(process.argv[3], ['mqtt', 'chat'], { perMessageDeflate });
const line = (n) => `line ${n % 300} of ${n * n}: 你好\n`;
const messages = ['', 'a', 'hello '.repeat(50), Array.from({ length: 3000 }, (_, n) => line(n)).join(''),
    Buffer.from(Uint8Array.from({ length: 70000 }, (_, n) => (n * 2654435761) >>> 24)), 'a', 'hello '.repeat(50)];
let at = 0;
let agreed = '';
socket.on('upgrade', ({ headers }) => { agreed = headers['sec-websocket-extensions'] ?? ''; });
socket.on('open', () => {
    console.log(`open ${socket.protocol} ${agreed}`);
    socket.ping('there?');
    for (const message of messages) socket.send(message);
});
socket.on('pong', (data) => console.log(`pong ${data}`));
socket.on('message', (data, binary) => {
    const sent = messages[at++];
    const same = Buffer.from(sent).equals(data) && binary === (typeof sent !== 'string');
    if (!same) console.log(`message ${at} is not what was sent`);
    if (at === messages.length) socket.close(4000, 'enough');
});
socket.on('error', (error) => console.log(`error ${error.message}`));
socket.on('close', (code) => console.log(`${at} messages, close ${code}`));
