// npm ws as a client: opens the URL, says hello and goodbye, or says why not.
import { createRequire } from 'node:module';
const { WebSocket } = createRequire(process.argv[2] + '/')('ws');
const socket = new WebSocket(process.argv[3], process.argv.slice(4));
socket.on('open', () => {
    console.log('open');
    socket.send('hello from ws');
    socket.close(1000, 'done');
});
socket.on('error', (error) => console.log(`error ${error.message}`));
socket.on('close', (code) => console.log(`close ${code}`));
