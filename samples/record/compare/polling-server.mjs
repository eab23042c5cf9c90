// A server that is asked: each answer has what was published since the last one, a message a line.
import http from 'node:http';
import { messages } from './messages.mjs';

const queue = [];
let started = false;
function start() {
    started = true;
    for (const [after, text] of messages) setTimeout(() => queue.push(text), after);
}
http.createServer((request, response) => {
    if (!started) start();
    const body = queue.splice(0).join('\n');
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
