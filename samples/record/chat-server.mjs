// A chat room on npm `ws`: what one says, all hear. Also serves the page that
// the browser opens.
//
//     node chat-server.mjs PORT [deflate]
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { WebSocketServer } from 'ws';

const [port, deflate] = process.argv.slice(2);
const page = readFileSync(new URL('page.html', import.meta.url));

const http = createServer((request, response) => {
  if (request.url === '/favicon.ico') return response.writeHead(204).end();
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
});
const server = new WebSocketServer({ server: http, path: '/chat', perMessageDeflate: deflate === 'deflate' });

function tellAll(text) {
  for (const client of server.clients) client.send(text);
}

server.on('connection', (socket, request) => {
  const name = new URL(request.url, 'http://localhost').searchParams.get('name');
  tellAll(`${name} has joined`);
  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.send(data);
    // The server asks now and then whether somebody is still there.
    socket.ping('still there?');
    tellAll(`${name}: ${data}`);
  });
  socket.on('close', () => tellAll(`${name} has left`));
});

http.listen(Number(port), '127.0.0.1', () => console.log('ready'));
