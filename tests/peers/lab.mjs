// Clients that listen to a lab's server and say what they are told.
// lab.mjs LIBRARIES ws URL | socket.io URL polling|websocket|upgrade
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const [kind, url, transport] = process.argv.slice(3);
if (kind === 'ws') {
    const { WebSocket } = require('ws');
    const socket = new WebSocket(url);
    socket.on('open', () => { console.log('open'); socket.send('from ws'); });
    socket.on('ping', () => console.log('ping'));
    socket.on('message', (data) => {
        console.log(`message ${data}`);
        if (`${data}` === 'last') socket.close(1000);
    });
    socket.on('error', (error) => console.log(`error ${error.message}`));
    socket.on('close', (code) => console.log(`close ${code}`));
} else {
    const { io } = require('socket.io-client');
    const transports = transport === 'upgrade' ? ['polling', 'websocket'] : [transport];
    const socket = io(url, { transports, reconnection: false, query: { client: 'peer' } });
    socket.on('connect', async () => {
        const { engine } = socket.io;
        if (transport === 'upgrade' && engine.transport.name === 'polling') {
            await new Promise((resolve) => engine.once('upgrade', resolve));
        }
        console.log(`connect ${engine.transport.name}`);
        engine.on('packet', ({ type }) => { if (type === 'ping') console.log('ping'); });
        console.log(`ack ${JSON.stringify(await socket.emitWithAck('message', 'from socket.io'))}`);
        console.log('open');
    });
    socket.on('connect_error', (error) => console.log(`error ${error.message}`));
    socket.on('message', (text) => {
        console.log(`message ${text}`);
        if (text === 'last') socket.disconnect();
    });
    socket.on('disconnect', (reason) => console.log(`close ${reason}`));
}
