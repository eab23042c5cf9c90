// Opens the pages of `wstool serve` as people do. The arguments: the server's address, and a folder for
// pictures, if wanted. Says in one line of JSON what it saw.

import { connect } from "node:net";
import { Browser, needed } from "./browser.mjs";

const command = needed();
const [server, pictures] = process.argv.slice(2);
const browser = new Browser(command);
const seen = {};

const picture = (tab, name) => pictures && tab.picture(`${pictures}/${name}.png`);
const text = (selector) => `(document.querySelector(${JSON.stringify(selector)})?.innerText ?? "")`;
const wire = text("#wire");
const tip = "(document.querySelector('.wire-tip:not([hidden])')?.innerText ?? '')";

/** What was refused or thrown behind the scenes. */
const behind = (tab) => ({
  logged: tab.heard("Log.entryAdded").map((it) => it.params.entry.text),
  thrown: tab.heard("Runtime.exceptionThrown").map((it) => it.params.exceptionDetails.exception?.description),
});

const fill = async (tab, selector, words) => {
  await tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
  await tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).select()`);
  await tab.type(words);
};

const join = async (path, name) => {
  const tab = await browser.tab();
  await tab.size(1400, 1000);
  await tab.open(`${server}${path}`);
  await fill(tab, "#name", name);
  await tab.click("#open");
  await tab.until("!document.querySelector('#text').disabled");
  return tab;
};

const say = async (tab, words) => {
  await fill(tab, "#text", words);
  await tab.press("Enter");
};

/** Looks for words in the panel, which draws only what is on the screen. */
const find = async (tab, words) => {
  // Nothing is drawn in a tab that nobody sees.
  await tab.send("Page.bringToFront");
  await fill(tab, "#wire input[type=search]", words);
  await tab.until(`document.querySelector("#wire article")?.innerText.includes(${JSON.stringify(words)})`);
};

/** Two tabs chat; the panel of each shows its own frames. */
const chat = async (path, key) => {
  const ann = await join(path, "Ann");
  const bob = await join(path, "Bob");
  await ann.until(`${text("#people")}.includes("Bob")`);
  await say(bob, "hello from Bob");
  await ann.until(`${text("#log")}.includes("hello from Bob")`);
  await say(ann, "<b>hello</b> from Ann");
  await bob.until(`${text("#log")}.includes("<b>hello</b> from Ann")`);
  await find(bob, "hello from Bob");
  await find(ann, "hello from Bob");
  seen[key] = { found: await ann.evaluate(wire) };
  await find(ann, "GET /");
  seen[key].request = await ann.evaluate(wire);
  await fill(ann, "#wire input[type=search]", "");
  await ann.evaluate("document.querySelector('#wire input[type=search]').dispatchEvent(new Event('input'))");
  await ann.until("document.querySelector('#wire article.frame')");
  await picture(ann, `${key}-light`);
  await ann.look("dark");
  await picture(ann, `${key}-dark`);
  await ann.look("light");
  await ann.evaluate("document.querySelector('#wire article.frame button.line').click()");
  await ann.until("document.querySelector('#wire .dump .byte')");
  await ann.evaluate("document.querySelector('#wire .dump').scrollIntoView({ block: 'center' })");
  // The list may still move under the pointer.
  for (let tries = 0; tries < 100 && !(await ann.evaluate(tip)); tries++) {
    await ann.hover("h2");
    await ann.hover("#wire .dump .byte");
    await ann.evaluate("new Promise((done) => setTimeout(done, 50))");
  }
  Object.assign(seen[key], {
    people: await ann.evaluate(text("#people")),
    log: await ann.evaluate(text("#log")),
    tip: await ann.evaluate(tip),
    bold: await ann.evaluate("document.querySelectorAll('#log p b b, #log p > span + b + b').length"),
    behind: behind(ann),
  });
  await picture(ann, `${key}-open`);
  await bob.click("#close");
  await ann.until(`!${text("#people")}.includes("Bob")`);
  await ann.size(400, 800, true);
  seen[key].phone = await ann.evaluate("document.documentElement.scrollWidth");
  await picture(ann, `${key}-phone`);
  seen[key].left = await bob.evaluate(text("#log"));
};

const look = async () => {
  const start = await browser.tab(`${server}/`);
  seen.start = await start.evaluate(text("main"));
  await picture(start, "start");
  await start.open(`${server}/?lang=zh`);
  seen.chinese = await start.evaluate(text("main"));
  await picture(start, "start-zh");
  seen.startBehind = behind(start);

  await chat("/lab/websocket", "websocket");
  await chat("/lab/socketio?lang=zh", "socketio");

  const polling = await browser.tab();
  await polling.size(1400, 1000);
  await polling.open(`${server}/lab/polling`);
  await polling.click("#start");
  const told = "[...document.querySelectorAll('#rows tr')].map((row) => Number(row.cells[2].innerText))";
  await polling.until(`${told}.every((messages) => messages >= 2)`);
  seen.rows = await polling.evaluate("[...document.querySelectorAll('#rows tr')].map((row) => row.innerText)");
  await picture(polling, "polling");
  await polling.click("#stop");
  seen.pollingBehind = behind(polling);

  const ground = await browser.tab();
  await ground.size(1400, 1000);
  await ground.open(`${server}/lab/playground`);
  await ground.until(`${wire}.includes("Hello")`);
  await picture(ground, "playground");
  // The MASK bit turned off: what follows is no longer what it was.
  await ground.click("#bits button:nth-child(9)");
  await ground.until(`${wire}.includes("unmasked-client-frame")`);
  seen.turned = await ground.evaluate("document.querySelector('#hex').value");
  await fill(ground, "#hex", "zz");
  await ground.until(`${wire}.includes("zz")`);
  seen.nonsense = await ground.evaluate(wire);
  await picture(ground, "playground-wrong");
  seen.groundBehind = behind(ground);

  await lines();
};

/** Two people chat by bare TCP; the page shows what they say, and the panel their bytes. */
const lines = async () => {
  const tab = await browser.tab();
  await tab.size(1400, 1000);
  await tab.open(`${server}/lab/tcp`);
  await tab.until(`${text("#log")}.length > 0`);
  const { hostname, port } = new URL(server);
  const people = ["Cid", "Dora"].map((name) => {
    const socket = connect(Number(port), hostname, () => socket.write(`/name ${name}\n`));
    // One that is not read holds up the chat.
    return socket.resume();
  });
  await tab.until(`${text("#log")}.includes("Cid") && ${text("#log")}.includes("Dora")`);
  people[0].write("hello <b>over</b> TCP\n");
  await tab.until(`${text("#log")}.includes("hello <b>over</b> TCP")`);
  await find(tab, "hello <b>over</b> TCP");
  seen.lines = { found: await tab.evaluate(wire) };
  await tab.evaluate("document.querySelector('#wire article button.line').click()");
  await tab.until("document.querySelector('#wire .dump .byte')");
  seen.lines.dump = (await tab.evaluate(text("#wire .dump"))).replace(/\s/g, "");
  await picture(tab, "tcp-open");
  await fill(tab, "#wire input[type=search]", "");
  await tab.evaluate("document.querySelector('#wire input[type=search]').dispatchEvent(new Event('input'))");
  people[1].end();
  await tab.until(`${text("#log")}.split("Dora").length > 2`);
  await tab.until("document.querySelectorAll('#wire article').length > 3");
  Object.assign(seen.lines, {
    log: await tab.evaluate(text("#log")),
    wire: await tab.evaluate(wire),
    bold: await tab.evaluate("document.querySelectorAll('#log p b + b, #wire b > b').length"),
    behind: behind(tab),
  });
  await picture(tab, "tcp-light");
  await tab.look("dark");
  await picture(tab, "tcp-dark");
  await tab.look("light");
  await tab.size(400, 800, true);
  seen.lines.phone = await tab.evaluate("document.documentElement.scrollWidth");
  await picture(tab, "tcp-phone");
  people[0].destroy();

  const chinese = await browser.tab(`${server}/lab/tcp?lang=zh`);
  await chinese.until(`${text("#log")}.length > 0`);
  seen.tcp = await chinese.evaluate(text("#log"));
  await picture(chinese, "tcp-zh");
};

try {
  await look();
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
