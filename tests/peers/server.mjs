// npm ws as a server: prints its port, answers every message with itself, and says what it sees.
import { createRequire } from 'node:module';
const { WebSocketServer } = createRequire(process.argv[2] + '/')('ws');
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
server.on('listening', () => console.log(server.address().port));
server.on('connection', (socket) => {
    console.log('open');
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('close', (code) => console.log(`close ${code}`));
    socket.on('error', (error) => console.log(`error ${error.message}`));
});
