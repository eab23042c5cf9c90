// Chromium by the DevTools protocol over a pipe: two file descriptors, messages that end with a zero byte.
// Nothing but node is needed for it.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** How long an answer may take: the machine may be busy. */
const PATIENCE = 60_000;

/** The command of a Chromium, or nothing. */
export const chromium = () =>
  [process.env.CHROMIUM, ...NAMES].find((name) => name && spawnSync(name, ["--version"]).status === 0);

/** The same for who can do nothing without one, and says that in its one line of JSON. */
export const needed = () => {
  const command = chromium();
  if (!command) {
    console.log(JSON.stringify({ skipped: "no chromium" }));
    process.exit(0);
  }
  return command;
};

/** A browser without a window. */
export class Browser {
  #child;
  #next = 1;
  #waiting = new Map();
  #heard = [];
  #listeners = new Set();
  #profile = mkdtempSync(join(tmpdir(), "wstool-browser-"));

  constructor(command, flags = []) {
    this.#child = spawn(
      command,
      [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--remote-debugging-pipe",
        `--user-data-dir=${this.#profile}`,
        ...flags,
        "about:blank",
      ],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    let rest = Buffer.alloc(0);
    this.#child.stdio[4].on("data", (data) => {
      rest = Buffer.concat([rest, data]);
      for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) {
        this.#take(JSON.parse(rest.subarray(0, end).toString()));
      }
    });
    this.#child.stdio[3].on("error", () => {});
  }

  #take(message) {
    const waiting = this.#waiting.get(message.id);
    if (waiting) {
      this.#waiting.delete(message.id);
      if (message.error) waiting.reject(new Error(`${waiting.method}: ${message.error.message}`));
      else waiting.resolve(message.result);
      return;
    }
    this.#heard.push(message);
    this.#listeners.forEach((listener) => listener(message));
  }

  /** Events so far. */
  get heard() {
    return this.#heard;
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.#next++;
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), PATIENCE);
      const done = (act) => (value) => {
        clearTimeout(timer);
        act(value);
      };
      this.#waiting.set(id, { method, resolve: done(resolve), reject: done(reject) });
    });
  }

  /** The first event of a name in a session, from now on. */
  event(name, sessionId) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${name} does not come`)), PATIENCE);
      const listener = (message) => {
        if (message.method !== name || message.sessionId !== sessionId) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(message.params);
      };
      this.#listeners.add(listener);
    });
  }

  /** A new tab. */
  async tab(url) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await tab.send(`${domain}.enable`);
    if (url) await tab.open(url);
    return tab;
  }

  async close() {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    await this.send("Browser.close").catch(() => this.#child.kill());
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A tab of a browser. */
export class Tab {
  constructor(browser, session) {
    this.browser = browser;
    this.session = session;
  }

  send(method, params) {
    return this.browser.send(method, params, this.session);
  }

  /** Events of this tab so far. */
  heard(name) {
    return this.browser.heard.filter((it) => it.sessionId === this.session && it.method === name);
  }

  async open(url) {
    const loaded = this.browser.event("Page.loadEventFired", this.session);
    await this.send("Page.navigate", { url });
    await loaded;
  }

  /** The value of an expression; a promise is waited for. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression) {
    const since = Date.now();
    for (;;) {
      const value = await this.evaluate(expression);
      if (value) return value;
      if (Date.now() - since > PATIENCE) throw new Error(`never true: ${expression}`);
      await this.evaluate("new Promise((done) => setTimeout(done, 20))");
    }
  }

  /** Where the middle of an element is. */
  middle(selector) {
    return this.evaluate(`(() => {
      const it = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
      return { x: it.x + it.width / 2, y: it.y + it.height / 2 };
    })()`);
  }

  /** Moves the pointer over an element. */
  async hover(selector) {
    const { x, y } = await this.middle(selector);
    await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
  }

  async click(selector) {
    const { x, y } = await this.middle(selector);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  async tap(selector) {
    const { x, y } = await this.middle(selector);
    await this.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    await this.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  }

  /** Presses a key; one of a letter types it, too. */
  async press(key) {
    const text = key.length === 1 ? key : key === "Enter" ? "\r" : undefined;
    await this.send("Input.dispatchKeyEvent", {
      type: text ? "keyDown" : "rawKeyDown",
      key,
      text,
      code: key,
    });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key, code: key });
  }

  /** Words typed into what has the focus. */
  type(text) {
    return this.send("Input.insertText", { text });
  }

  /** The size of the window; a phone's is touched. */
  async size(width, height, isTouched = false) {
    await this.send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: isTouched,
    });
    await this.send("Emulation.setTouchEmulationEnabled", { enabled: isTouched });
  }

  /** `light` or `dark`; `screen` or `print`. */
  look(scheme, media = "") {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    return this.send("Emulation.setEmulatedMedia", { media, features });
  }

  async picture(path) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    writeFileSync(path, Buffer.from(data, "base64"));
  }
}
