// npm ws as a client that is graded: the loop of harnesses for the Autobahn testsuite, several cases at a time.
// Says in one line of JSON what it was told of each case, by its id.
import { createRequire } from 'node:module';
const { WebSocket } = createRequire(process.argv[2] + '/')('ws');
const [server, agent, how = 'echo'] = process.argv.slice(3);

/** Opens a control URL; what it says before it closes. */
const ask = (path) =>
    new Promise((resolve, reject) => {
        const socket = new WebSocket(server + path);
        let said = null;
        socket.on('message', (data) => (said = data.toString()));
        socket.on('close', () => resolve(said));
        socket.on('error', reject);
    });

/** Plays a case; `mute` sends nothing back, `greets` says something first. */
const play = (number) =>
    new Promise((resolve) => {
        const socket = new WebSocket(`${server}/runCase?case=${number}&agent=${encodeURIComponent(agent)}`);
        socket.on('open', () => how === 'greets' && socket.send('Welcome!'));
        socket.on('message', (data, binary) => how === 'mute' || socket.send(data, { binary }));
        socket.on('close', resolve);
        socket.on('error', () => {});
    });

const count = Number(await ask('/getCaseCount'));
const told = {};
let next = 1;
const lane = async () => {
    for (let number; (number = next++) <= count; ) {
        await play(number);
        const status = await ask(`/getCaseStatus?case=${number}&agent=${encodeURIComponent(agent)}`);
        const { id, description } = JSON.parse(await ask(`/getCaseInfo?case=${number}`));
        told[id] = description && JSON.parse(status).behavior;
    }
};
await Promise.all(Array.from({ length: 4 }, lane));
const end = how === 'stays' ? '' : '&shutdownOnComplete=true';
await ask(`/updateReports?agent=${encodeURIComponent(agent)}${end}`);
console.log(JSON.stringify(told));
