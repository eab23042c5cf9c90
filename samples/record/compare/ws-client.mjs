// A client that listens until it has read `bye`.
import WebSocket from 'ws';

const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/messages`, { perMessageDeflate: false });
socket.on('message', (data) => {
    if (data.toString() === 'bye') socket.close(1000);
});
