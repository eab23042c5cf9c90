// Server-sent events over Node.js's own HTTP/2, as server or client.
//
// The arguments: where modules are (none is used), and
//   server [KEY CERT]           prints its port; /events/N streams N events, /zipped/N the same in gzip, both with a
//                               trailer field behind them; /endless until the client resets the stream
//   client URL KEYLOG PATH…     asks for all paths at once, on one connection, and says what came of each, a line of
//                               JSON: its path, data, and trailer; of !PATH it resets the stream behind the second
//                               event. Under TLS its secrets go to the file KEYLOG
import { appendFileSync, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import tls from 'node:tls';
import zlib from 'node:zlib';

const [role, ...rest] = process.argv.slice(3);

if (role === 'server') {
    const secure = rest.length && { key: readFileSync(rest[0]), cert: readFileSync(rest[1]) };
    const server = secure ? http2.createSecureServer(secure) : http2.createServer();
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    server.on('stream', (stream, head) => {
        stream.on('error', () => {});
        const [, kind, number = Infinity] = head[':path'].split('/');
        const zipped = kind === 'zipped';
        const answer = { ':status': 200, 'content-type': 'text/event-stream' };
        if (zipped) answer['content-encoding'] = 'gzip';
        stream.respond(answer, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-events': String(number) }));
        const out = zipped ? zlib.createGzip() : stream;
        if (zipped) out.pipe(stream);
        let sent = 0;
        // Events begin and end within frames.
        let text = ': hello\n\n';
        const step = () => {
            if (stream.destroyed) return;
            if (sent === +number) return out.end(text);
            sent += 1;
            text += `id: ${sent}\nevent: ${kind}\ndata: ${kind} ${sent}\ndata: 你好 😀\n\n`;
            const cut = text.length - (sent % 7);
            out.write(text.slice(0, cut));
            if (zipped) out.flush();
            text = text.slice(cut);
            setTimeout(step, 5);
        };
        step();
    });
} else {
    const [url, keylog, ...paths] = rest;
    const { hostname: host, port, protocol } = new URL(url);
    const options = {};
    if (protocol === 'https:') {
        const socket = tls.connect({ host, port, ALPNProtocols: ['h2'], rejectUnauthorized: false });
        socket.on('keylog', (line) => appendFileSync(keylog, line));
        options.createConnection = () => socket;
    }
    const client = http2.connect(url, options);
    client.on('error', (error) => console.log(`error ${error.message}`));
    let left = paths.length;
    for (const word of paths) {
        const path = word.replace('!', '');
        const stream = client.request({ ':path': path, accept: 'text/event-stream' });
        let trailer = null;
        let text = '';
        const data = () =>
            text.split('\n\n').slice(0, -1).map((block) => {
                const lines = block.split('\n').filter((line) => line.startsWith('data: '));
                return lines.map((line) => line.slice(6)).join('\n');
            }).filter((it) => it);
        stream.on('error', () => {});
        stream.on('trailers', (fields) => (trailer = fields['x-events']));
        stream.on('response', (head) => {
            const plain = head['content-encoding'] === 'gzip' ? stream.pipe(zlib.createGunzip()) : stream;
            plain.setEncoding('utf8');
            plain.on('data', (piece) => {
                text += piece;
                if (word !== path && data().length >= 2) stream.close(http2.constants.NGHTTP2_CANCEL);
            });
            // Behind all that was inflated.
            plain.on('close', () => {
                console.log(JSON.stringify({ path, data: data(), trailer }));
                if (--left === 0) client.close();
            });
        });
    }
}
