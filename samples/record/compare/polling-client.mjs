// A client that asks every 200 ms, on one connection, until it has read `bye`.
const url = `http://127.0.0.1:${process.argv[2]}/messages`;
let last = '';
while (!last.endsWith('bye')) {
    last = await (await fetch(url)).text();
    await new Promise((wake) => setTimeout(wake, 200));
}
// fetch keeps its connection: the end of the process closes it.
