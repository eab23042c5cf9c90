// A page and its worker chat while `wstool attach` looks on. The arguments: wstool, the addresses of
// `wstool serve` without and with TLS, and further options. Says in JSON what the page sent and got, and what
// was said of it.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { Browser, needed } from "./browser.mjs";

const command = needed();
const [wstool, plain, secure, ...options] = process.argv.slice(2);

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const browser = new Browser(command, [`--remote-debugging-port=${port}`, "--ignore-certificate-errors"]);
// Only an answer says that it is there.
await browser.send("Browser.getVersion");
// A page that was there before anybody looked on.
const tab = await browser.tab();

const attach = spawn(wstool, ["--lang", "en", "attach", "--chrome", `127.0.0.1:${port}`, ...options]);
let out = "";
let said = "";
attach.stdout.on("data", (data) => (out += data));
const ended = new Promise((resolve) => attach.on("close", resolve));
await new Promise((resolve) => {
  attach.stderr.on("data", (data) => {
    said += data;
    if (said.includes("watching ")) resolve();
  });
  ended.then(resolve);
});
// From here on nothing begins that is not watched.
const other = await browser.tab();

const script = (plain, secure) => `(async () => {
  const log = [];
  const encoded = (data) =>
    typeof data === "string" ? data : { base64: btoa(String.fromCharCode(...new Uint8Array(data))) };
  const echo = (url, words) => new Promise((done) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const left = [...words];
    const next = () => {
      const word = left.shift();
      if (word === undefined) return socket.close(1000);
      log.push([url, "client", encoded(word)]);
      socket.send(word);
    };
    socket.onopen = next;
    socket.onmessage = ({ data }) => {
      log.push([url, "server", encoded(data)]);
      next();
    };
    socket.onclose = ({ code }) => done(code);
  });
  const words = ["Hello", "你好，世界 🌍", "", "x".repeat(70000), new Uint8Array([0, 1, 254, 255])];
  const code = await echo("${plain}/echo?of=page", words);
  await echo("${secure}/echo?of=page", words);
  await echo("${plain}/nothing-there", []);
  const work = \`const socket = new WebSocket("${plain}/echo?of=worker");
    socket.onopen = () => socket.send("from a worker");
    socket.onmessage = ({ data }) => { postMessage(data); socket.close(); };\`;
  const worker = new Worker(URL.createObjectURL(new Blob([work])));
  log.push(["${plain}/echo?of=worker", "client", "from a worker"]);
  const data = await new Promise((done) => (worker.onmessage = ({ data }) => done(data)));
  log.push(["${plain}/echo?of=worker", "server", data]);
  return { log, code };
})()`;
const { log, code } = await (options.includes("--url") ? tab : other).evaluate(script(plain, secure));
await browser.close();
const status = await ended;
console.log(JSON.stringify({ log, code, status, said, out }));
