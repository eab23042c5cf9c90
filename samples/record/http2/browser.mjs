// Chromium opens a page of `wstool serve --tls`, and from it two WebSockets at a time: over HTTP/2, as it has a
// connection already. The arguments: the URL, and the file for its TLS secrets. Writes what the page said and heard,
// a record of JSON a message.
import { Browser, chromium } from "../../../tests/peers/browser.mjs";

const [origin, keys] = process.argv.slice(2);
const browser = new Browser(chromium(), [
  "--ignore-certificate-errors",
  `--ssl-key-log-file=${keys}`,
  "--disable-background-networking",
]);
try {
  const tab = await browser.tab();
  await tab.open(`${origin}/poll/none`);
  const records = await tab.evaluate(`(async () => {
    const records = [];
    const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const log = (stream, from, data) => records.push({
      stream, from, binary: typeof data !== "string", data: typeof data === "string" ? data : hex(data),
    });
    const open = (path, messages) => new Promise((done) => {
      const ws = new WebSocket("${origin.replace("https", "wss")}" + path);
      ws.binaryType = "arraybuffer";
      let left = messages.length;
      ws.onopen = () => messages.forEach((message) => {
        ws.send(message);
        log(path, "client", message);
      });
      ws.onmessage = ({ data }) => {
        log(path, "server", data);
        if (--left === 0) ws.close(1000, "done");
      };
      ws.onclose = done;
    });
    await Promise.all([
      open("/echo", ["hello", "你好 😀", new Uint8Array([0, 1, 2, 255]).buffer, "a".repeat(3000)]),
      open("/fragments/3", ["in three frames", "again, in three frames"]),
    ]);
    return records;
  })()`);
  records.forEach((record) => console.log(JSON.stringify(record)));
} finally {
  await browser.close();
}
