// Plays one scenario of Socket.IO, server and client, and writes down what both sent and received.
//
//     node scenario.mjs VERSION TRANSPORTS PORT LOG
//
// VERSION is 4 or 2, the major version of the libraries; TRANSPORTS is `upgrade`, `polling`,
// `websocket` or `raw` (polling by hand: what browsers do and node clients cannot).
import { appendFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import http from "node:http";

const [version, transports, port, log] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { Server } = version === "4" ? require("socket.io4") : { Server: require("socket.io2") };
const { io: connect } = version === "4" ? require("socket.io-client4") : { io: require("socket.io-client2") };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
writeFileSync(log, "");

// One line a packet or event: who wrote it down, whether it went in or out, what it was.
function write(by, way, what) {
  appendFileSync(log, JSON.stringify({ by, way, ...what }) + "\n");
}
function plain(data) {
  if (data === undefined || data === null) return "";
  if (typeof data === "string") return data;
  const bytes = data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength ?? data.length);
  return { base64: bytes.toString("base64") };
}
const show = (value) =>
  Buffer.isBuffer(value) ? { base64: value.toString("base64") }
  : Array.isArray(value) ? value.map(show)
  : value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, show(v)]))
  : value;

const httpServer = http.createServer();
const options = { pingInterval: 400, pingTimeout: 300, perMessageDeflate: transports === "upgrade" && version === "4", httpCompression: { threshold: 200 } };
const io = version === "4" ? new Server(httpServer, options) : new Server(httpServer, { ...options, cookie: false });

io.engine?.on?.("connection", engineConnection);
if (version !== "4") io.on("connection", () => {});
function engineConnection(socket) {
  socket.on("packet", (packet) => write("server", "in", { packet: packet.type, sid: socket.id, data: plain(packet.data) }));
  socket.on("packetCreate", (packet) => write("server", "out", { packet: packet.type, sid: socket.id, data: plain(packet.data) }));
}

function serve(namespace) {
  namespace.on("connection", (socket) => {
    socket.on("chat message", (...args) => {
      write("server", "in", { event: "chat message", args: show(args) });
      socket.emit("chat message", ...args);
    });
    socket.on("upload", (name, file, done) => {
      write("server", "in", { event: "upload", args: show([name, file]) });
      done(file.length, file);
    });
    socket.on("ask me", async () => {
      socket.emit("question", "how are you? 你好吗 😀", (...answer) => write("server", "in", { ack: show(answer) }));
      socket.emit("picture", { width: 2, parts: [Buffer.from([1, 2, 3]), Buffer.from("héllo")] }, "end");
      socket.emit("long", "abcdefghij".repeat(60));
    });
  });
}
serve(io.of("/"));
serve(io.of("/admin"));
await new Promise((done) => httpServer.listen(Number(port), "127.0.0.1", done));

async function library() {
  const settings = { reconnection: false, forceNew: true };
  if (transports !== "upgrade") settings.transports = [transports];
  const url = `http://127.0.0.1:${port}`;
  const socket = connect(url, settings);
  const engine = socket.io.engine ?? socket.io;
  const note = (engine) => {
    engine.on("packet", (packet) => write("client", "in", { packet: packet.type, sid: engine.id ?? null, data: plain(packet.data) }));
    engine.on("packetCreate", (packet) => write("client", "out", { packet: packet.type, sid: engine.id ?? null, data: plain(packet.data) }));
  };
  note(engine);
  await new Promise((done) => socket.on("connect", done));
  if (transports === "upgrade") await sleep(150);
  const told = (name) => socket.on(name, (...args) => {
    if (typeof args.at(-1) === "function") args.pop()("fine, thanks");
    write("client", "in", { event: name, args: show(args) });
  });
  ["chat message", "question", "picture", "long"].forEach(told);
  socket.emit("chat message", "hi");
  socket.emit("chat message", { text: "\"quoted\" \u2028 line", n: 1.5 }, [1, null, true]);
  await new Promise((done) => socket.emit("upload", "a.bin", Buffer.from([0, 255, 1, 254]), (...args) => {
    write("client", "in", { ack: show(args) });
    done();
  }));
  socket.emit("ask me");
  await sleep(200);
  const admin = socket.io.socket("/admin");
  await new Promise((done) => admin.on("connect", done));
  await new Promise((done) => admin.emit("upload", "b.bin", Buffer.from("xyz"), (...args) => {
    write("client", "in", { ack: show(args) });
    done();
  }));
  if (transports === "websocket") {
    const missing = socket.io.socket("/missing");
    await new Promise((done) => missing.on(version === "4" ? "connect_error" : "error", (error) => {
      write("client", "in", { refused: error.message ?? error });
      done();
    }));
  }
  // Two heartbeats.
  await sleep(1000);
  admin.disconnect();
  await sleep(100);
  socket.disconnect();
  socket.io.close?.();
  await sleep(200);
}

// Requests as a browser makes them: with gzip, as JSONP, with binary bodies (revision 3).
async function raw() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (query, body, headers = {}) => new Promise((done, fail) => {
    const request = http.request(
      { port, host: "127.0.0.1", path: `/socket.io/?EIO=${version === "4" ? 4 : 3}&transport=polling${query}`, agent, method: body === undefined ? "GET" : "POST", headers: { "Accept-Encoding": "gzip", ...headers } },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => done({ headers: response.headers, body: Buffer.concat(chunks) }));
      },
    );
    request.on("error", fail);
    request.end(body);
  });
  const jsonp = version === "2" ? "&j=0&b64=1" : "";
  for (const extra of version === "4" ? [""] : [jsonp, ""]) {
    const open = await ask(extra);
    const sid = /"?sid\\?":\\?"([^"\\]+)/.exec(open.body.toString("latin1"))[1];
    const at = `${extra}&sid=${sid}`;
    const units = (packet) => `${packet.length}:${packet}`;
    const post = (packets) => {
      if (version === "4") return ask(at, packets.join("\x1e"), { "Content-Type": "text/plain;charset=UTF-8" });
      const text = packets.map(units).join("");
      if (extra === "") return ask(at, text, { "Content-Type": "text/plain;charset=UTF-8" });
      const form = "d=" + encodeURIComponent(text.replaceAll("\\n", "\\\\n"));
      return ask(at, form, { "Content-Type": "application/x-www-form-urlencoded" });
    };
    if (version === "4") await post(["40"]);
    // Revision 3 has its CONNECT in the handshake's answer.
    if (version === "4") await ask(at);
    await post(['42["chat message","one\\ntwo"]', '42["chat message","héllo € 你好 😀"]', '42["ask me"]']);
    const got = await ask(at);
    void got;
    await post(["41", "1"]);
    await sleep(50);
  }
  agent.destroy();
}

await (transports === "raw" ? raw() : library());
await sleep(100);
process.exit(0);
