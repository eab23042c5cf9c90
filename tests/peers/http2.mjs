// Node.js's own HTTP/2 with npm's ws on its streams (RFC 8441), as server or client.
//
// The arguments: where the modules are, and
//   server [KEY CERT] [off]     prints its port, answers every message with itself, and says what it sees; `off`:
//                               without SETTINGS_ENABLE_CONNECT_PROTOCOL; KEY and CERT (PEM): under TLS
//   client URL PATH TEXT…       sends the texts, waits for as many messages, closes, asks for / on the same
//                               connection, and says what it saw
//   harness URL AGENT           plays the cases of `wstool grade --listen`, several at a time on one connection, and
//                               says in one line of JSON what it was told of each, by its id
import { appendFileSync, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { createRequire } from 'node:module';

const require = createRequire(process.argv[2] + '/');
const WebSocket = require('ws');
const PerMessageDeflate = require(process.argv[2] + '/node_modules/ws/lib/permessage-deflate.js');
const { parse, format } = require(process.argv[2] + '/node_modules/ws/lib/extension.js');
const [role, ...rest] = process.argv.slice(3);
const say = (...words) => console.log(words.join(' '));

/** Keeps each message as a record of JSON in the file that LOG names, if it does. */
const log = (stream, from, data, binary = false) => {
    if (!process.env.LOG) return;
    const record = { stream, from, binary, data: Buffer.from(data).toString(binary ? 'hex' : 'utf8') };
    appendFileSync(process.env.LOG, `${JSON.stringify(record)}\n`);
};

/** A WebSocket on a stream; with permessage-deflate where that was agreed. */
const socket = (stream, isServer, deflate) => {
    const ws = new WebSocket(null, undefined, { autoPong: true, closeTimeout: 30_000 });
    ws._isServer = isServer;
    if (deflate) ws._extensions[PerMessageDeflate.extensionName] = deflate;
    stream.setNoDelay ??= () => {};
    ws.setSocket(stream, Buffer.alloc(0), { maxPayload: 64 * 1024 * 1024, skipUTF8Validation: false });
    return ws;
};

/** Asks for a WebSocket on a stream, with permessage-deflate. */
const ask = (client, path, more = {}) => {
    const deflate = new PerMessageDeflate({ threshold: 0, isServer: false }, false);
    const stream = client.request({
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': path,
        'sec-websocket-version': '13',
        'sec-websocket-extensions': format({ [PerMessageDeflate.extensionName]: [deflate.offer()] }),
        ...more,
    });
    return { stream, deflate };
};

/** The extensions that an answer names; nothing is what ws cannot read. */
const named = (head) => ('sec-websocket-extensions' in head ? parse(head['sec-websocket-extensions']) : {});

/** What of permessage-deflate an answer agrees on, if anything. */
const agreed = (head, deflate) => {
    const parameters = named(head)[PerMessageDeflate.extensionName];
    if (parameters) deflate.accept(parameters);
    return parameters && deflate;
};

if (role === 'server') {
    const files = rest.filter((it) => it !== 'off');
    const settings = { enableConnectProtocol: !rest.includes('off') };
    const secure = files.length && { key: readFileSync(files[0]), cert: readFileSync(files[1]) };
    const server = secure ? http2.createSecureServer({ ...secure, settings }) : http2.createServer({ settings });
    server.listen(0, '127.0.0.1', () => say(server.address().port));
    server.on('session', (session) => session.on('close', () => say('connection over')));
    server.on('stream', (stream, head) => {
        stream.on('error', () => {});
        const path = head[':path'];
        say('asked', head[':method'], head[':protocol'], head[':scheme'], path, Object.keys(head)
            .filter((name) => /^(upgrade|connection|host|sec-websocket-(key|accept))$/.test(name)).join() || 'well');
        if (path === '/refused') {
            stream.respond({ ':status': 403, 'content-type': 'text/plain' });
            return stream.end('nobody comes in here\n');
        }
        if (path === '/required') return stream.close(http2.constants.NGHTTP2_HTTP_1_1_REQUIRED);
        if (path === '/ended') return stream.session.destroy(undefined, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
        const answer = { ':status': 200 };
        const names = (head['sec-websocket-protocol'] ?? '').split(',').map((it) => it.trim());
        if (names.includes('chat')) answer['sec-websocket-protocol'] = 'chat';
        const offered = head['sec-websocket-extensions'];
        let offers, deflate;
        try {
            offers = offered && parse(offered)[PerMessageDeflate.extensionName];
            deflate = offers && new PerMessageDeflate({ threshold: 0, isServer: true }, true);
            deflate?.accept(offers);
        } catch {
            stream.respond({ ':status': 400 });
            return stream.end();
        }
        if (offers) {
            answer['sec-websocket-extensions'] =
                format({ [PerMessageDeflate.extensionName]: [deflate.params] });
        }
        stream.respond(answer);
        const ws = socket(stream, true, deflate);
        ws.on('message', (data, isBinary) => {
            if (data.toString() === 'reset') return stream.destroy(new Error('on purpose'));
            log(path, 'client', data, isBinary);
            ws.send(data, { binary: isBinary });
            log(path, 'server', data, isBinary);
        });
        ws.on('close', (code) => say('close', code));
        ws.on('error', (error) => say('error', error.message));
    });
} else if (role === 'harness') {
    const [url, agent] = rest;
    const client = http2.connect(url, { rejectUnauthorized: false });
    await new Promise((resolve) => client.once('remoteSettings', resolve));
    /** A WebSocket to its end; a right client takes no answer that agrees on what it has not offered. */
    const open = (path, take) =>
        new Promise((resolve) => {
            const { stream, deflate } = ask(client, path);
            stream.on('error', () => {});
            stream.on('close', resolve);
            stream.on('response', (head) => {
                try {
                    const offered = Object.keys(named(head)).every((name) => name === PerMessageDeflate.extensionName);
                    const opens = Math.trunc(head[':status'] / 100) === 2;
                    if (!opens || !offered || 'sec-websocket-protocol' in head) throw new Error('no WebSocket');
                    const ws = socket(stream, false, agreed(head, deflate));
                    ws.on('message', (data, binary) => take(ws, data, binary));
                    ws.on('error', () => {});
                } catch {
                    stream.resume().close(http2.constants.NGHTTP2_CANCEL);
                }
            });
        });
    const control = async (path) => {
        let said = null;
        await open(path, (_, data) => (said = data.toString()));
        return said;
    };
    const count = Number(await control('/getCaseCount'));
    const told = {};
    let next = 1;
    const lane = async () => {
        for (let number; (number = next++) <= count; ) {
            const asked = `case=${number}&agent=${encodeURIComponent(agent)}`;
            await open(`/runCase?${asked}`, (ws, data, binary) => ws.send(data, { binary }));
            const { behavior } = JSON.parse(await control(`/getCaseStatus?${asked}`));
            told[JSON.parse(await control(`/getCaseInfo?case=${number}`)).id] = behavior;
        }
    };
    await Promise.all(Array.from({ length: 4 }, lane));
    await control(`/updateReports?agent=${encodeURIComponent(agent)}&shutdownOnComplete=true`);
    console.log(JSON.stringify(told));
    client.close();
} else {
    const [url, path, ...texts] = rest;
    const client = http2.connect(url, { rejectUnauthorized: false });
    client.on('error', (error) => say('error', error.message));
    client.on('goaway', (code) => say('goaway', code));
    client.on('remoteSettings', (settings) => {
        say('enabled', settings.enableConnectProtocol);
        const { stream, deflate } = ask(client, path, { 'sec-websocket-protocol': 'chat', origin: url });
        stream.on('error', (error) => say('error', error.message));
        stream.on('response', (head) => {
            say('status', head[':status'], head['sec-websocket-protocol'], head['sec-websocket-extensions']);
            if (head[':status'] !== 200) {
                stream.setEncoding('utf8');
                stream.on('data', (text) => say('body', text.split('\n')[0]));
                return stream.on('close', () => client.close());
            }
            const ws = socket(stream, false, agreed(head, deflate));
            let left = texts.length;
            ws.on('message', (data, isBinary) => {
                say('message', data.toString());
                log(path, 'server', data, isBinary);
                if (--left === 0) ws.close(1000);
            });
            texts.forEach((text) => {
                ws.send(text);
                log(path, 'client', text);
            });
            ws.on('close', (code, reason) => say('close', code, reason));
            ws.on('error', (error) => say('error', error.message));
            stream.on('close', () => {
                say('stream', stream.rstCode);
                const page = client.request({ ':path': '/' });
                page.on('response', (head) => say('page', head[':status']));
                page.resume();
                page.on('close', () => client.close());
            });
        });
    });
    client.on('close', () => say('over'));
}
