// A page, a WebSocket that answers, one that is refused, and Socket.IO: node server.mjs PORT
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { Server } from "socket.io";
import { WebSocketServer } from "ws";

const page = readFileSync(new URL("page.html", import.meta.url));
const http = createServer((request, response) => {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(request.url.startsWith("/page") ? page : "");
});
const io = new Server(http);
io.on("connection", (socket) => {
  socket.on("add", (a, b, answer) => answer(a + b));
  socket.on("bye", () => socket.disconnect(true));
});
const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: { threshold: 0 },
  handleProtocols: () => "chat",
});
http.on("upgrade", (request, socket, head) => {
  if (request.url.startsWith("/refused")) {
    socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
  } else if (request.url.startsWith("/echo")) {
    sockets.handleUpgrade(request, socket, head, (open) => {
      open.ping("alive?");
      open.on("message", (data, binary) => open.send(data, { binary }));
    });
  }
});
http.listen(Number(process.argv[2]), "127.0.0.1");
