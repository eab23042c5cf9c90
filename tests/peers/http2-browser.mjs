// Opens a WebSocket of `wstool serve` from a page of its that came over HTTP/2. The argument: its URL. Says in
// one line of JSON what it saw.

import { Browser, needed } from "./browser.mjs";

const command = needed();
const [origin] = process.argv.slice(2);
const browser = new Browser(command, ["--ignore-certificate-errors"]);
try {
  const tab = await browser.tab();
  await tab.open(`${origin}/`);
  const seen = await tab.evaluate(`new Promise((done) => {
    const seen = { page: performance.getEntriesByType("navigation")[0].nextHopProtocol, came: [] };
    const ws = new WebSocket("${origin.replace("https", "wss")}/echo", ["superchat", "chat"].slice(1));
    const texts = ["first", "zweite Nachricht", "第三"];
    ws.onopen = () => {
      Object.assign(seen, { protocol: ws.protocol, extensions: ws.extensions });
      texts.forEach((text) => ws.send(text));
    };
    ws.onmessage = ({ data }) => {
      seen.came.push(data);
      if (seen.came.length === texts.length) ws.close(1000, "done");
    };
    ws.onclose = ({ code, wasClean }) => done(Object.assign(seen, { code, clean: wasClean }));
  })`);
  const [answer] = tab.heard("Network.webSocketHandshakeResponseReceived");
  seen.status = answer?.params.response.status;
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
