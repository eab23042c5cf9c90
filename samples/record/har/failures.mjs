// Servers that let no WebSocket come about, each in a way of its own: node failures.mjs PORT CERT KEY
//
// PORT serves the page, and answers handshakes as their path says; on the port behind it the same is said within TLS.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";

const [port, cert, key] = process.argv.slice(2);
const accept = (key) => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const error = (status) => () => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`;
const opens = (key, ...more) =>
  ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept(key)}`,
    ...more, "", ""].join("\r\n");
const frame = (hex) => (key) => Buffer.concat([Buffer.from(opens(key)), Buffer.from(hex, "hex")]);

// What is answered, by path; the page asks in this order.
const plays = {
  "/status-403": error("403 Forbidden"),
  "/status-200": error("200 OK"),
  "/status-401": () => 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="room"\r\nContent-Length: 0\r\n\r\n',
  "/status-502": error("502 Bad Gateway"),
  "/no-upgrade": (key) => opens(key).replace("Upgrade: websocket\r\n", ""),
  "/no-connection": (key) => opens(key).replace("Connection: Upgrade\r\n", ""),
  "/accept-wrong": (key) => opens(`${key}x`),
  "/subprotocol-none": (key) => opens(key),
  "/subprotocol-other": (key) => opens(key, "Sec-WebSocket-Protocol: other"),
  "/extension-unasked": (key) => opens(key, "Sec-WebSocket-Extensions: foo"),
  "/no-http": () => "SSH-2.0-OpenSSH_9.2\r\n",
  "/closed": (_, socket) => socket.end(),
  "/reset": (_, socket) => socket.resetAndDestroy(),
  "/reserved-bits": frame("c10568656c6c6f"),
  "/masked": frame("81850000000068656c6c6f"),
  "/not-utf8": frame("8101ff"),
  "/opcode": frame("8300"),
};

function talk(socket) {
  let asked = "";
  socket.on("error", () => {});
  socket.on("data", (data) => {
    if (asked === null) return;
    asked += data.toString("latin1");
    if (!asked.includes("\r\n\r\n")) return;
    const [, path] = asked.split(" ");
    const [, key] = asked.match(/sec-websocket-key: (.*)\r/i) ?? [];
    asked = null;
    if (path === "/page") {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`);
    } else {
      const answer = (plays[path] ?? error("404 Not Found"))(key, socket);
      if (typeof answer === "string" || Buffer.isBuffer(answer)) socket.write(answer);
    }
  });
}

// The page opens one after the other, as a browser waits for one handshake with a host before it begins the next.
const page = `<!doctype html><title>failures</title><script>
const urls = [
  ...${JSON.stringify(Object.keys(plays))}.map((path) => "ws://127.0.0.1:${port}" + path),
  "ws://127.0.0.1:${+port - 50}/refused", "ws://nowhere.invalid/", "wss://127.0.0.1:${+port + 1}/certificate",
  "wss://127.0.0.1:${port}/tls-to-plain", "ws://127.0.0.1:${+port + 1}/plain-to-tls",
];
const fails = (url) => new Promise((done) => {
  const socket = new WebSocket(url, url.includes("subprotocol") ? ["chat"] : []);
  socket.onclose = ({ code }) => done([url, code]);
});
window.run = (async () => {
  const log = [];
  for (const url of urls) log.push(await fails(url));
  await new Promise((done) => setTimeout(done, 500));
  return { failed: log };
})();
</script>`;

net.createServer(talk).listen(+port, "127.0.0.1");
const within = tls.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, talk);
within.on("tlsClientError", () => {}).listen(+port + 1, "127.0.0.1");
