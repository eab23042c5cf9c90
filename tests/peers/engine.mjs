// The reference's clients at the lab's server of Engine.IO and Socket.IO: they say what they are told.
// engine.mjs LIBRARIES socket.io 4|2 URL polling|websocket|upgrade
// engine.mjs LIBRARIES engine.io 6|3 URL polling|websocket|upgrade
// engine.mjs LIBRARIES visit|restart 4|2 URL polling|websocket|upgrade
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const [kind, version, url, way] = process.argv.slice(3);
const transports = way === 'upgrade' ? ['polling', 'websocket'] : [way];

const shown = (value) => JSON.stringify(value, (_, v) => {
    const bytes = v && v.type === 'Buffer' ? v.data : v instanceof ArrayBuffer ? new Uint8Array(v) : v;
    return bytes instanceof Uint8Array || bytes !== v ? `<${Buffer.from(bytes).toString('hex')}>` : v;
});
const say = (what, value) => console.log(`${what} ${shown(value)}`);
const once = (emitter, event) => new Promise((done) => emitter.once(event, (...args) => done(args)));
const ask = (socket, ...args) => new Promise((done) => socket.emit(...args, (...answer) => done(answer)));
const moved = async (engine) => {
    if (way === 'upgrade' && engine.transport.name === 'polling') await once(engine, 'upgrade');
    return engine.transport.name;
};

if (kind === 'engine.io') {
    const { Socket } = require(version === '3' ? 'engine.io-client-3' : 'engine.io-client');
    const socket = new Socket(url, { path: '/engine.io/', transports });
    socket.binaryType = 'arraybuffer';
    await once(socket, 'open');
    const beat = once(socket, version === '3' ? 'pong' : 'ping');
    console.log(`open ${await moved(socket)}`);
    for (const message of ['héllo € 你好 😀', Uint8Array.from([1, 2, 3, 4]), 'x'.repeat(100000)]) {
        const heard = once(socket, 'message');
        socket.send(message);
        const [back] = await heard;
        say('message', back.length > 1000 ? back.length : back);
    }
    await beat;
    console.log('beat');
    const closed = once(socket, 'close');
    socket.close();
    console.log(`close ${(await closed)[0]}`);
} else {
    const library = require(version === '2' ? 'socket.io-client-2' : 'socket.io-client');
    const io = library.io ?? library;
    const connect = (namespace, token) => io(url + namespace, {
        transports, forceNew: true, reconnection: kind === 'restart', reconnectionDelay: 20,
        reconnectionDelayMax: 100, ...(version === '2' ? { query: token } : { auth: token }),
    });
    if (kind === 'visit') {
        const socket = connect('');
        await once(socket, 'connect');
        await moved(socket.io.engine);
        say('echo', await ask(socket, 'echo', 'héllo', Buffer.from([1, 2, 3])));
        socket.disconnect();
    } else if (kind === 'restart') {
        const socket = connect('');
        socket.on('disconnect', (why) => console.log(`disconnect ${why}`));
        for (let times = 1; times <= 2; times++) {
            await once(socket, 'connect');
            await moved(socket.io.engine);
            say('echo', await ask(socket, 'echo', times));
        }
        socket.disconnect();
    } else {
        const [ann, bob] = [connect(''), connect('')];
        for (const socket of [ann, bob]) {
            if (!socket.connected) await once(socket, 'connect');
            console.log(`connect ${await moved(socket.io.engine)}`);
        }
        say('login', await ask(ann, 'login', 'ann'));
        const joined = once(ann, 'user joined');
        say('login', await ask(bob, 'login', 'bob'));
        say('user joined', await joined);
        say('online users', await ask(bob, 'online users'));
        for (const message of [['héllo € 你好 😀', { a: [1] }], [Buffer.from([1, 2]), { b: Buffer.from([3]) }]]) {
            const heard = once(bob, 'chat message');
            say('others', await ask(ann, 'chat message', ...message));
            say('chat message', await heard);
        }
        say('echo', await ask(ann, 'echo', 1, Buffer.from([5, 6]), null));
        bob.once('question', (question, who, reply) => reply({ [`${question} ${who}`]: Buffer.from([7]) }));
        say('ask', await ask(ann, 'ask', 'tea?'));
        say('join', await ask(bob, 'join', 'tea'));
        const inside = once(bob, 'room message');
        say('others', await ask(ann, 'room message', 'tea', 'hi'));
        say('room message', await inside);
        say('leave', await ask(bob, 'leave', 'tea'));
        say('others', await ask(ann, 'room message', 'tea', 'hi'));
        const refusal = version === '2' ? 'error' : 'connect_error';
        for (const [namespace, token] of [['/missing', {}], ['/admin', { token: 'guess' }]]) {
            const refused = connect(namespace, token);
            const [why] = await once(refused, refusal);
            console.log(`refused ${why.message ?? why}`);
            refused.io.engine.close();
        }
        const admin = connect('/admin', { token: 'admin' });
        if (!admin.connected) await once(admin, 'connect');
        const [left, gone] = [once(ann, 'user left'), once(bob, 'disconnect')];
        say('kick', await ask(admin, 'kick', 'bob'));
        say('user left', await left);
        console.log(`disconnect ${(await gone)[0]}`);
        const over = once(ann, 'disconnect');
        ann.disconnect();
        console.log(`disconnect ${(await over)[0]}`);
        // Its connection goes on when its namespace does not.
        bob.io.engine.close();
        admin.disconnect();
    }
}
