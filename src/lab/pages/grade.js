// Plays the cases with this browser's own WebSocket, as harnesses for the Autobahn testsuite do: echo what comes,
// and ask what came of it.
import { fill, words } from "/lab/common.js";

const $ = (id) => document.getElementById(id);
const lang = document.documentElement.lang;
const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const SIGNS = { pass: "✓", "non-strict": "~", fail: "✗", unimplemented: "–", informational: "i" };
/** Cases that are played at a time; those that measure time are played alone. */
const LANES = 4;
const ALONE = new Set(["performance", "limits"]);

let cases = [];
let running = false;

const open = (path, asked = {}) => {
  const query = new URLSearchParams(asked);
  return new WebSocket(`${scheme}//${location.host}${path}?${query}`);
};
const agent = () => $("agent").value.trim();

/** What a control URL says before it closes; nothing, for some. */
const ask = (path, asked) =>
  new Promise((resolve, reject) => {
    const socket = open(path, asked);
    let said = null;
    let opened = false;
    socket.onopen = () => (opened = true);
    socket.onmessage = ({ data }) => (said = data);
    socket.onclose = () => (opened ? resolve(said) : reject(new Error(path)));
  });

/** Opens a case and sends back what comes, until it is closed. */
const echo = (number) =>
  new Promise((resolve) => {
    const socket = open("/runCase", { case: number, agent: agent() });
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => socket.send(data);
    socket.onclose = resolve;
  });

/** What this browser is, as it says itself. */
function product() {
  const brand = navigator.userAgentData?.brands?.find(({ brand }) => !/not/i.test(brand));
  if (brand) return `${brand.brand} ${brand.version}`;
  const [, name, version] = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(navigator.userAgent) ?? [];
  return name ? `${name.replace("Version", "Safari").replace("Edg", "Edge")} ${version}` : "browser";
}

const name = (it) => (it.autobahn ? `${it.autobahn} ${it.id}` : it.id);

function show(it) {
  const verdict = it.outcome?.verdict;
  it.square.className = it.playing ? "playing" : (verdict ?? "");
  it.square.textContent = it.playing ? "…" : (SIGNS[verdict] ?? "");
  const state = it.playing ? words.playing : (words[verdict] ?? words.waiting);
  it.square.title = `${name(it)}: ${it.title}\n${[state, it.outcome?.why].filter(Boolean).join(": ")}`;
  it.square.setAttribute("aria-label", `${name(it)}: ${state}`);
}

/** How many there are of what, chapter by chapter, and what to look at. */
function sum() {
  const played = cases.filter((it) => it.outcome);
  for (const [chapter, counts] of chapters) {
    const own = played.filter((it) => it.chapter === chapter);
    const of = (verdict) => own.filter((it) => it.outcome.verdict === verdict).length;
    const said = Object.keys(SIGNS).filter((verdict) => of(verdict)).map((verdict) => `${of(verdict)} ${words[verdict]}`);
    counts.textContent = said.join(" · ");
  }
  const bad = ["fail", "non-strict"].flatMap((verdict) => played.filter((it) => it.outcome.verdict === verdict));
  $("found").replaceChildren(...bad.map((it) => {
    const li = document.createElement("li");
    li.className = it.outcome.verdict;
    const span = (kind, text) => {
      const part = document.createElement("span");
      part.className = kind;
      part.textContent = text;
      return part;
    };
    const id = document.createElement("b");
    id.textContent = name(it);
    li.append(span("verdict", words[it.outcome.verdict]), " ", id, " ", it.title, span("why", it.outcome.why));
    const mend = it.outcome.mend ?? it.mend;
    if (mend) li.append(span("why", mend));
    return li;
  }));
  if (!bad.length) {
    const li = document.createElement("li");
    li.textContent = words.nothing;
    $("found").append(li);
  }
  $("worst").hidden = !played.length;
}

async function play(it) {
  it.playing = true;
  show(it);
  await echo(it.case);
  try {
    it.outcome = JSON.parse(await ask("/getCaseStatus", { case: it.case, agent: agent(), all: lang }));
  } finally {
    it.playing = false;
    show(it);
  }
}

async function all() {
  const began = performance.now();
  running = true;
  buttons();
  for (const it of cases) {
    it.outcome = null;
    show(it);
  }
  let done = 0;
  const lane = async (waiting) => {
    for (let it; running && (it = waiting.shift()); ) {
      await play(it);
      done += 1;
      $("progress").value = done / cases.length;
      $("state").textContent = fill(words.progress, done, cases.length);
      sum();
    }
  };
  try {
    const together = cases.filter((it) => !ALONE.has(it.chapter));
    await Promise.all(Array.from({ length: LANES }, () => lane(together)));
    await lane(cases.filter((it) => ALONE.has(it.chapter)));
    await ask("/updateReports", { agent: agent() });
    $("state").textContent = fill(words.done, done, ((performance.now() - began) / 1000).toFixed(1));
  } catch {
    $("state").textContent = words.lost;
  }
  running = false;
  buttons();
  sum();
}

function buttons() {
  $("start").disabled = $("agent").disabled = running;
  $("stop").disabled = !running;
}

$("agent").value = product();
$("begin").onsubmit = (event) => {
  event.preventDefault();
  if (!running) all();
};
$("stop").onclick = () => {
  running = false;
};

cases = await (await fetch(`/cases?lang=${lang}`)).json();
const chapters = new Map();
for (const it of cases) {
  if (!chapters.has(it.chapter)) {
    const part = document.createElement("div");
    part.className = "chapter";
    const title = document.createElement("h3");
    const counts = document.createElement("span");
    counts.className = "counts";
    title.append(it.about, counts);
    const squares = document.createElement("div");
    squares.className = "cases";
    squares.id = `chapter-${it.chapter}`;
    part.append(title, squares);
    $("chapters").append(part);
    chapters.set(it.chapter, counts);
  }
  it.square = document.createElement("button");
  it.square.type = "button";
  it.square.onclick = async () => {
    if (running || it.playing) return;
    await play(it).catch(() => ($("state").textContent = words.lost));
    sum();
  };
  show(it);
  $(`chapter-${it.chapter}`).append(it.square);
}
$("state").textContent = fill(words.progress, 0, cases.length);
sum();
