// Servers for `wstool connect`: each prints its port, and what it sees.
// connect.mjs LIBRARIES tester | shouter | socket.io | socket.io-2
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const part = process.argv[3];
const http = createServer();
http.listen(0, '127.0.0.1', () => console.log(http.address().port));

if (part === 'socket.io' || part === 'socket.io-2') {
    const io = part === 'socket.io' ? new (require(part).Server)(http) : require(part)(http);
    const serve = (namespace) => (socket) => {
        console.log(`${namespace} connect ${JSON.stringify(socket.handshake.auth ?? {})}`);
        socket.emit('welcome', namespace);
        socket.on('chat', (...args) => {
            console.log(`${namespace} chat ${JSON.stringify(args)}`);
            socket.emit('chat', ...args, Buffer.from([1, 2, 255]));
        });
        socket.on('file', (bytes, name) => socket.emit('file', name, Buffer.from(bytes).toString('hex')));
        socket.on('ask', (value, answer) => answer('answer', value));
    };
    io.on('connection', serve('/'));
    const admin = io.of('/admin');
    admin.use((socket, next) => next((socket.handshake.auth ?? socket.handshake.query).token === 'right' ? undefined : new Error('no token')));
    admin.on('connection', serve('/admin'));
} else {
    const { WebSocketServer } = require('ws');
    const server = new WebSocketServer({ server: http, perMessageDeflate: true, maxPayload: 64 << 20 });
    server.on('connection', async (socket) => {
        if (part === 'shouter') {
            // Says it louder, and never says the third.
            let count = 0;
            socket.on('message', (data) => { if (++count < 3) socket.send(`${data}`.toUpperCase()); });
            return;
        }
        const back = () => new Promise((done) => socket.once('message', (data, binary) => done([data, binary])));
        const big = Buffer.alloc(16 << 20, 'All work and no play makes Jack a dull boy. ');
        const messages = ['', 'héllo 😀', Buffer.alloc(0), Buffer.from([0, 255]), big, 'x'.repeat(70000)];
        messages.push(...Array.from({ length: 1000 }, (_, n) => `message ${n}`));
        let same = 0;
        for (const message of messages) {
            const came = back();
            socket.ping();
            socket.send(message);
            const [data, binary] = await came;
            const isBinary = typeof message !== 'string';
            if (binary === isBinary && data.equals(Buffer.from(message))) same++;
        }
        console.log(`${same} messages as they were`);
        socket.on('close', (code) => { console.log(`close ${code}`); process.exit(); });
        socket.close(1000);
    });
}
