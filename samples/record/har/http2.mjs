// A page over HTTP/2, and on its connection a WebSocket (RFC 8441) that answers: node http2.mjs PORT CERTIFICATE KEY
import http2 from "node:http2";
import { readFileSync } from "node:fs";

const [port, cert, key] = process.argv.slice(2);
const page = `<!doctype html><meta charset="utf-8"><title>over HTTP/2</title><script>
  window.log = { echo: [] };
  const plain = (data) =>
    typeof data === "string" ? data : { base64: btoa(String.fromCharCode(...new Uint8Array(data))) };
  window.run = new Promise((done) => {
    const socket = new WebSocket("wss://" + location.host + "/echo?room=1", ["chat", "other"]);
    socket.binaryType = "arraybuffer";
    const left = ["Hello", "你好，世界 🌍", new Uint8Array([0, 1, 2, 253, 254, 255])];
    const next = () => {
      const word = left.shift();
      if (word === undefined) return socket.close(1000, "bye");
      window.log.echo.push(["send", plain(word)]);
      socket.send(word);
    };
    socket.onopen = next;
    socket.onmessage = ({ data }) => {
      window.log.echo.push(["receive", plain(data)]);
      setTimeout(next, 20);
    };
    socket.onclose = ({ code }) => done({ ...window.log, code });
  });
</script>`;

const server = http2.createSecureServer({
  settings: { enableConnectProtocol: true },
  allowHTTP1: true,
  cert: readFileSync(cert),
  key: readFileSync(key),
});
server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  if (headers[":protocol"] !== "websocket") {
    stream.respond({ ":status": 200, "content-type": "text/html" });
    return stream.end(headers[":path"] === "/page" ? page : "");
  }
  stream.respond({ ":status": 200, "sec-websocket-protocol": "chat" });
  // Frames of the page are small: a header of two bytes and a mask.
  let held = Buffer.alloc(0);
  stream.on("data", (data) => {
    held = Buffer.concat([held, data]);
    for (let length; held.length >= 6 && held.length >= 6 + (length = held[1] & 127); ) {
      const [mask, payload] = [held.subarray(2, 6), held.subarray(6, 6 + length)];
      const plain = payload.map((byte, place) => byte ^ mask[place % 4]);
      stream.write(Buffer.concat([Buffer.from([held[0], length]), plain]));
      if ((held[0] & 15) === 8) return stream.end();
      held = held.subarray(6 + length);
    }
  });
});
server.listen(Number(port), "127.0.0.1");
