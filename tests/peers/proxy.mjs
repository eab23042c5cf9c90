// Clients and servers for the proxy to stand between, which say what they see.
// proxy.mjs LIBRARIES big URL: two compressible messages that are alike, and what comes of them
// proxy.mjs LIBRARIES through PROXY URL: a message through a tunnel of an HTTP proxy
// proxy.mjs LIBRARIES refuse: a server that wants its own name for Host
// proxy.mjs LIBRARIES page: a server of a page that opens a WebSocket, and of that
// proxy.mjs LIBRARIES browse PROXY URL: Chromium through an HTTP proxy, or without one (-), at such a page
import { createRequire } from 'node:module';
import http from 'node:http';
import tls from 'node:tls';
const require = createRequire(process.argv[2] + '/');
const { WebSocket, WebSocketServer } = require('ws');
const [kind, first, second] = process.argv.slice(3);
const say = (socket) => {
    socket.on('open', () => console.log(`open ${socket.extensions}`));
    socket.on('message', (data) => console.log(`message ${data.length} ${`${data}`.slice(0, 20)}`));
    socket.on('error', (error) => console.log(`error ${error.message}`));
    socket.on('close', (code) => { console.log(`close ${code}`); process.exit(0); });
};
if (kind === 'big') {
    const socket = new WebSocket(first);
    say(socket);
    const text = Array.from({ length: 400 }, (_, n) => `word${n}`).join(' ');
    socket.on('open', () => socket.send(`1 ${text}`));
    let heard = 0;
    socket.on('message', () => {
        heard += 1;
        if (heard === 1) socket.send(`2 ${text}`);
        if (heard === 2) socket.close(1000);
    });
} else if (kind === 'through') {
    const proxy = new URL(first);
    const target = new URL(second);
    const secure = target.protocol === 'wss:';
    const path = `${target.hostname}:${target.port || (secure ? 443 : 80)}`;
    const request = http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path });
    request.on('connect', (response, stream) => {
        console.log(`tunnel ${response.statusCode}`);
        const createConnection = () => secure ? tls.connect({ socket: stream, host: target.hostname }) : stream;
        const socket = new WebSocket(second, { createConnection });
        say(socket);
        socket.on('open', () => socket.send('through'));
        socket.on('message', () => socket.close(1000));
    });
    request.on('error', (error) => console.log(`error ${error.message}`));
    request.end();
} else if (kind === 'browse') {
    const { Browser, chromium } = await import('./browser.mjs');
    const command = chromium();
    if (!command) {
        console.log('skipped: no chromium');
        process.exit(0);
    }
    const flags = ['--ignore-certificate-errors', '--no-first-run'];
    if (first !== '-') flags.push(`--proxy-server=${first}`, '--proxy-bypass-list=<-loopback>');
    const browser = new Browser(command, flags);
    try {
        const tab = await browser.tab();
        await tab.open(second);
        await tab.until("document.title !== 'waiting'");
        console.log(await tab.evaluate('document.title'));
    } catch (error) {
        console.log(`error ${error.message}`);
    }
    await browser.close();
} else if (kind === 'page') {
    const page = `<!doctype html><title>waiting</title><script>
        const socket = new WebSocket(location.href.replace('http', 'ws') + 'chat');
        socket.onopen = () => socket.send('from the browser');
        socket.onmessage = ({ data }) => { document.title = data; socket.close(1000); };
        socket.onerror = () => { document.title = 'error'; };
    </script>`;
    const server = http.createServer((request, response) => {
        response.setHeader('content-type', 'text/html');
        response.end(page);
    });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
        socket.on('message', (data) => socket.send(`heard ${data}`));
        socket.on('close', (code) => console.log(`close ${code}`));
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
} else {
    const server = http.createServer((request, response) => response.end(`page ${request.url}\n`));
    const sockets = new WebSocketServer({
        server,
        verifyClient: ({ req }) => req.headers.host === 'its.own.name',
    });
    sockets.on('connection', () => console.log('open'));
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}
