// Looks at pages of `decode --format html` as somebody with a mouse, a keyboard, a phone or paper does.
// The arguments: a page of a broken conversation, one that wants to do harm, one of 10,000 frames, one in
// Chinese, one with nothing but a panel, and a folder for pictures, if wanted. Says in one line of JSON what it
// saw.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Browser, needed } from "./browser.mjs";

const command = needed();
const [broken, harmful, large, chinese, live] = process.argv
  .slice(2, 7)
  .map((path) => pathToFileURL(path).href);
const pictures = process.argv[7];
const browser = new Browser(command);
const seen = {};

const lit = "[...document.querySelectorAll('.byte.lit')].map((it) => it.textContent).join(' ')";
const tip = "document.querySelector('.wire-tip').hidden ? '' : document.querySelector('.wire-tip').innerText";
const focused = "document.activeElement.closest('article')?.querySelector('.what').textContent";
const count = "document.querySelector('.count').textContent";
const frame = "article.frame.client";

/** What went on behind the scenes: what was asked of the network, refused, thrown, or popped up. */
const behind = (tab) => ({
  asked: tab.heard("Network.requestWillBeSent").map((it) => it.params.request.url.replace(/.*\//, "")),
  logged: tab.heard("Log.entryAdded").map((it) => it.params.entry.text),
  thrown: tab.heard("Runtime.exceptionThrown").map((it) => it.params.exceptionDetails.exception?.description),
  dialogs: tab.heard("Page.javascriptDialogOpening").length,
});

const picture = (tab, name) => pictures && tab.picture(`${pictures}/${name}.png`);

const look = async () => {
  const tab = await browser.tab();
  await tab.size(1200, 1000);
  await tab.open(broken);
  await tab.until("document.querySelector('article.record')");
  seen.title = await tab.evaluate("document.querySelector('h1').textContent");
  seen.verdict = await tab.evaluate("document.querySelector('.verdict').innerText");
  seen.bars = await tab.evaluate("document.querySelectorAll('.timeline .bar').length");
  seen.marks = await tab.evaluate("document.querySelectorAll('.timeline .mark').length");
  seen.light = await tab.evaluate("getComputedStyle(document.body).backgroundColor");
  await picture(tab, "light");
  await tab.look("dark");
  seen.dark = await tab.evaluate("getComputedStyle(document.body).backgroundColor");
  await picture(tab, "dark");
  await tab.look("light");

  // From a cause to what shows it.
  await tab.click(".verdict button.rule");
  await tab.until(`${count}.split(" ")[0] !== ${count}.split(" ").at(-1)`);
  seen.found = await tab.until("document.querySelector('article .finding b')?.textContent");
  await tab.evaluate("document.querySelector('input[type=search]').focus()");
  await tab.evaluate("document.querySelector('input[type=search]').select()");
  await tab.type("Hello");
  await tab.until(`document.querySelector('${frame} .dump')`);
  await tab.evaluate(`document.querySelector('${frame}').scrollIntoView({ block: "center" })`);

  // From a byte to its fields, from a field to its bytes, from bits to both.
  await tab.hover(`${frame} .byte:nth-child(2)`);
  seen.byte = await tab.until(tip);
  seen.byteLights = await tab.evaluate(
    `[...document.querySelectorAll('${frame} .field.lit .label')].map((it) => it.textContent)`,
  );
  await picture(tab, "byte");
  await tab.hover(`${frame} .byte:nth-child(7)`);
  seen.payloadByte = await tab.until(`(${tip}).includes("byte 6") && ${tip}`);
  await tab.hover(`${frame} .field:nth-child(6) .label`);
  seen.field = await tab.until(`(${tip}).includes("masking key") && ${tip}`);
  seen.fieldLights = await tab.evaluate(lit);
  await tab.hover(`${frame} .diagram .cell`);
  seen.bit = await tab.until(`(${tip}).includes("bit 0") && ${tip}`);
  seen.bits = await tab.evaluate(
    `document.querySelector('${frame} .diagram').innerText.replace(/\\s+/g, " ")`,
  );

  // With the keyboard alone.
  await tab.press("Escape");
  await tab.evaluate("document.querySelector('input[type=search]').value = ''");
  await tab.evaluate(
    "document.querySelector('input[type=search]').dispatchEvent(new Event('input', { bubbles: true }))",
  );
  await tab.evaluate("document.querySelector('article button.line').focus({ preventScroll: true })");
  await tab.press("n");
  seen.keyFinding = await tab.until(focused);
  await tab.press("j");
  seen.keyNext = await tab.evaluate(focused);
  await tab.evaluate(`document.querySelector('${frame} .dump').focus()`);
  for (let step = 0; step < 4; step++) await tab.press("ArrowRight");
  await tab.press("ArrowLeft");
  seen.keyByte = await tab.evaluate(tip);

  // On paper all of it is there.
  await tab.evaluate("window.dispatchEvent(new Event('beforeprint'))");
  seen.printed = await tab.evaluate("document.querySelectorAll('article.record').length");
  await tab.evaluate("window.dispatchEvent(new Event('afterprint'))");
  seen.records = await tab.evaluate(`parseInt(${count}.split(" ").at(-1))`);
  seen.behind = behind(tab);

  // On a phone.
  const phone = await browser.tab();
  await phone.size(400, 800, true);
  await phone.open(broken);
  await phone.until(`document.querySelector('article.record')`);
  await picture(phone, "phone");
  await phone.evaluate("document.querySelector('input[type=search]').value = 'hello'");
  await phone.evaluate(
    "document.querySelector('input[type=search]').dispatchEvent(new Event('input', { bubbles: true }))",
  );
  await phone.until(`document.querySelector('${frame} .dump')`);
  await phone.evaluate(`document.querySelector('${frame}').scrollIntoView({ block: "center" })`);
  seen.phoneWidth = await phone.evaluate("document.documentElement.scrollWidth");
  await phone.tap(`${frame} .byte:nth-child(2)`);
  seen.tapped = await phone.until(tip);
  await picture(phone, "tapped");

  // What comes from the wire does nothing.
  const harm = await browser.tab(harmful);
  await harm.until("document.querySelector('article.frame .payload')");
  seen.harm = await harm.evaluate(`({
    title: document.title,
    scripts: document.scripts.length,
    images: document.images.length,
    ran: window.ran ?? null,
    shown: document.querySelector('article.frame .payload').textContent,
    policy: [...document.querySelectorAll('meta[http-equiv]')].length,
  })`);
  // Even if something were to get in, nothing would run.
  seen.refused = await harm.evaluate(`new Promise((done) => {
    document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
  })`);
  seen.ran = await harm.evaluate("window.ran ?? null");
  seen.harmBehind = { ...behind(harm), logged: [] };
  await picture(harm, "harmful");

  // 10,000 frames: only what is on the screen is there.
  const long = await browser.tab();
  await long.size(1200, 1000);
  await long.open(large);
  await long.until("document.querySelector('article.record')");
  seen.many = await long.evaluate(count);
  seen.drawn = await long.evaluate("document.querySelectorAll('article').length");
  await long.evaluate("window.scrollTo(0, document.documentElement.scrollHeight / 2)");
  seen.middle = await long.until(
    "[...document.querySelectorAll('article .what')].map((it) => it.textContent).find((it) => /frame [45]\\d\\d\\d/.test(it))",
  );
  seen.drawnThere = await long.evaluate("document.querySelectorAll('article').length");
  await long.evaluate("document.querySelector('.filter button').click()");
  await long.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)");
  seen.last = await long.until(
    "[...document.querySelectorAll('article .what')].map((it) => it.textContent).find((it) => it === 'summary')",
  );
  seen.elements = await long.evaluate("document.querySelectorAll('*').length");
  await picture(long, "large");

  const zh = await browser.tab();
  await zh.size(1200, 1000);
  await zh.open(chinese);
  await zh.until("document.querySelector('article.record')");
  seen.chinese = await zh.evaluate("document.body.innerText.slice(0, 600)");
  seen.language = await zh.evaluate("document.documentElement.lang");
  await picture(zh, "chinese");

  // Records that arrive one at a time, in a panel that scrolls by itself.
  const panel = await browser.tab();
  await panel.size(900, 700);
  await panel.open(live);
  const lines = readFileSync(process.argv[2], "utf8")
    .split('id="records">\n')[1]
    .split("\n</script>")[0]
    .split("\n");
  await panel.until("window.Panel");
  await panel.evaluate(
    "window.panel = new Panel(document.querySelector('#wire'), {}, { open: true, most: 20 })",
  );
  for (const line of lines) await panel.evaluate(`{ panel.add(${line}); }`);
  await panel.until(`${count} === "9 of 9"`);
  await panel.evaluate("document.querySelector('#wire').scrollTop = 1e6");
  await panel.until("[...document.querySelectorAll('.what')].some((it) => it.textContent === 'summary')");
  seen.follows = [];
  for (const line of lines.filter((it) => it.includes('"type":"frame"'))) {
    await panel.evaluate(`{ panel.add(${line}); }`);
    const last = JSON.parse(line).blocks[0].what;
    await panel.until(
      `[...document.querySelectorAll('article')].at(-1)?.innerText.includes(${JSON.stringify(last)})`,
    );
    seen.follows.push(
      await panel.until(`(() => {
      const wire = document.querySelector("#wire");
      return wire.scrollHeight - wire.scrollTop - wire.clientHeight < 3;
    })()`),
    );
  }
  await picture(panel, "panel");
  // What never ends is forgotten from its beginning.
  for (let times = 0; times < 10; times++)
    for (const line of lines) await panel.evaluate(`{ panel.add(${line}); }`);
  await panel.until(`parseInt(${count}) <= 20 && parseInt(${count}) > 10`);
  seen.kept = await panel.evaluate("panel.entries.length");
  // One begins anew where another was.
  await panel.evaluate("new Panel(document.querySelector('#wire')), 0");
  seen.anew = await panel.evaluate(
    "['.filter', '.wire-tip', 'article'].map((it) => document.querySelectorAll(it).length)",
  );
  seen.panelBehind = behind(panel);
};

try {
  await look();
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
