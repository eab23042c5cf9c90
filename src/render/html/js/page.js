// A page of its own: the records stand in it.

/** Records up to which all of them are open at first. */
const FEW = 60;

/** Of causes, and of connections, so many are told at first. */
const FIRST = 8;

/** Elements of which those that are like many before them are folded away. */
const folded = (elements, say) => {
  const all = [];
  let rest = [];
  let [kind, times] = [undefined, 0];
  const fold = () => {
    if (rest.length === 0) return;
    all.push(make("details", "more", make("summary", "", say("and {} more", grouped(rest.length))), rest));
    rest = [];
  };
  for (const element of elements) {
    if (element.tagName !== kind) {
      fold();
      [kind, times] = [element.tagName, 0];
    }
    times++;
    if (times > FIRST) rest.push(element);
    else all.push(element);
  }
  fold();
  return all;
};

const page = (root, words, lines) => {
  const say = sayer(words);
  const leftOut = (units) =>
    say(
      "{} frames and messages are left out: a page holds only so much; --stream and --around select fewer",
      grouped(units),
    );
  const records = [];
  for (const line of lines.split("\n")) {
    if (line === "") continue;
    try {
      records.push(JSON.parse(line));
    } catch {
      // The page was cut off in the middle of a line: what is whole is shown.
    }
  }
  const known = new Known();
  records.forEach((record) => known.learn(record));
  const of = (type) => records.filter((record) => record.type === type);
  const [meta] = of("meta");
  const title = meta?.blocks[0];
  const head = make("header", "head");
  // Several files are named where each of them begins.
  head.append(make("h1", "", title?.what ?? document.title), make("p", "format", title?.about));
  const verdict = make("section", "verdict");
  for (const record of of("head")) verdict.append(...folded(blocksOf(record.blocks, known), say));
  for (const record of of("left")) verdict.append(make("p", "left", leftOut(record.units)));
  const wire = make("section");
  const isAll = records.every((record) => record.type !== "frame");
  const counted = of("stats").filter((record) => record.pieces.some((piece) => piece.rows));
  const stats = counted.map((record) => statsOf(record, say("statistics"), isAll));
  root.append(head, verdict, ...stats, wire);
  const shown = records.filter((record) => record.type !== "meta");
  const panel = new Panel(wire, words, { open: shown.length <= FEW, most: Infinity });
  shown.forEach((record) => panel.add(record));
  verdict.addEventListener("click", (event) => {
    const rule = event.target.closest?.("button.rule");
    if (!rule) return;
    panel.search(rule.dataset.rule);
    wire.scrollIntoView();
  });
  // Paper cannot be unfolded.
  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = [...root.querySelectorAll("details:not([open])")];
    unfolded.forEach((it) => (it.open = true));
  });
  window.addEventListener("afterprint", () => unfolded.forEach((it) => (it.open = false)));
  return panel;
};

{
  const [root, words, lines] = ["wstool", "words", "records"].map((id) => document.getElementById(id));
  if (root && words && lines) page(root, JSON.parse(words.textContent), lines.textContent);
}
