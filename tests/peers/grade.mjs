// Opens the page of `wstool grade --listen`, has it play its cases, and says in one line of JSON what it saw.
// The arguments: the server's address, and a folder for pictures, if wanted.

import { Browser, needed } from "./browser.mjs";

const command = needed();
const [server, pictures] = process.argv.slice(2);
const browser = new Browser(command, server.startsWith("https") ? ["--ignore-certificate-errors"] : []);
const seen = {};
const picture = (tab, name) => pictures && tab.picture(`${pictures}/${name}.png`);
const text = (selector) => `(document.querySelector(${JSON.stringify(selector)})?.innerText ?? "")`;

const tab = await browser.tab();
await tab.size(1200, 900);
await tab.open(`${server}/?lang=en`);
await tab.until("document.querySelectorAll('.cases button').length > 0");
seen.page = await tab.evaluate(`performance.getEntriesByType("navigation")[0].nextHopProtocol`);
seen.agent = await tab.evaluate("document.querySelector('#agent').value");
seen.before = await tab.evaluate(text("main"));
await picture(tab, "grade-before");
// One alone.
await tab.click(".cases button");
await tab.until("document.querySelector('.cases button').title.includes('pass')");
seen.alone = await tab.evaluate("document.querySelectorAll('.cases .pass').length");
// All of them.
await tab.click("#start");
await tab.until("!document.querySelector('#start').disabled && document.querySelector('#progress').value === 1");
await tab.until(`/ in [0-9.]+ s/.test(${text("#state")})`);
seen.state = await tab.evaluate(text("#state"));
seen.count = await tab.evaluate("document.querySelectorAll('.cases button').length");
for (const verdict of ["pass", "fail", "non-strict", "unimplemented", "informational"]) {
  seen[verdict] = await tab.evaluate(`document.querySelectorAll('.cases .${verdict}').length`);
}
seen.found = await tab.evaluate(text("#found"));
seen.chapters = await tab.evaluate(text("#chapters"));
await picture(tab, "grade-light");
await tab.look("dark");
await picture(tab, "grade-dark");
await tab.look("light");
await tab.size(400, 800, true);
seen.phone = await tab.evaluate("document.documentElement.scrollWidth");
await picture(tab, "grade-phone");
// 101 is HTTP/1.1's.
const answers = tab.heard("Network.webSocketHandshakeResponseReceived").map((it) => it.params.response.status);
seen.statuses = [...new Set(answers)];
seen.logged = tab.heard("Log.entryAdded").map((it) => it.params.entry.text);
seen.thrown = tab.heard("Runtime.exceptionThrown").map((it) => it.params.exceptionDetails.exception?.description);

const chinese = await browser.tab();
await chinese.size(1200, 900);
await chinese.open(`${server}/?lang=zh`);
await chinese.until("document.querySelectorAll('.cases button').length > 0");
seen.chinese = await chinese.evaluate(text("main"));
seen.filled = await chinese.evaluate(
  `import("/lab/common.js").then(({ fill }) => fill("{}：{}进来了，用时{} 秒；{}", "Ann", "小明", 0.7, "Li"))`,
);
await picture(chinese, "grade-chinese");
await browser.close();
console.log(JSON.stringify(seen));
