// A server that sends: a frame a message, as it is published, and a ping in between.
import { WebSocketServer } from 'ws';
import { messages } from './messages.mjs';

const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1', perMessageDeflate: false });
server.on('listening', () => console.log('ready'));
server.on('connection', (socket) => {
    for (const [after, text] of messages) setTimeout(() => socket.send(text), after);
    setTimeout(() => socket.ping(), 1200);
});
