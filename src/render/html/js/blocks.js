// Blocks: what is said of a unit, one function for each kind. `known` has what records say only once.

/** What is known of kinds of fields and forms of headers, by number. */
class Known {
  defs = [];
  shapes = [];
  /** The first connection, and whether there are others. */
  conn = 0;
  hasSeveral = false;

  learn(record) {
    if (record.conn > 0) {
      this.conn ||= record.conn;
      this.hasSeveral ||= record.conn !== this.conn;
    }
    for (const [number, [label, help, cite]] of record.defs ?? []) this.defs[number] = { label, help, cite };
    for (const [number, cells] of record.shapes ?? []) this.shapes[number] = cells;
  }
}

const runs = (all) => all.map(([ink, words]) => (ink ? make("span", `ink-${ink}`, words) : words));

/** Names and what is said under each. */
const details = (lines) =>
  lines.length === 0
    ? null
    : make(
        "dl",
        "details",
        lines.map(([name, words]) => [make("dt", "", name), make("dd", "", words)]),
      );

const severityOf = (it) => make("span", `severity ${it.severity}`, it.name);

/** A payload: text, bytes, and between them what is lost. */
const payloadOf = (payload, name = "payload") => {
  const parts = payload.parts.map((part) => {
    if (part.text !== undefined) return make("span", "text", part.text);
    if (part.hex !== undefined) return plainDump(part.hex, part.from);
    return make("span", "lost", part.lost);
  });
  if (payload.left) parts.push(make("span", "left", payload.left));
  return parts.length === 0 ? null : make("div", name, parts);
};

const BLOCKS = {
  words: (it) => make("p", it.level > 1 ? "words deeper" : "words", runs(it.runs)),
  title: (it) => make("h3", "", it.what),
  file: (it) => make("p", "words", make("b", "", it.what), ` ${it.about}`),
  start: (it) => about(make("pre", "start", it.line), it.at),
  payload: (it) => payloadOf(it.payload),
  json: (it) => make("figure", "json", make("figcaption", "", it.label), make("pre", "", it.json.join("\n"))),
  behind: (it) => details(it.lines),
  part: (it) =>
    make(
      "div",
      "part",
      make("span", "label", it.label),
      make("pre", "value", it.v),
      make("span", "help", it.help),
      make("span", "cite", it.cite),
    ),
  event: (it) =>
    make(
      "p",
      "event",
      make("span", "when", it.when),
      make("span", "whose", it.whose),
      make("span", "by", it.by),
      make("span", it.from ?? "", it.from === "client" ? "→" : it.from === "server" ? "←" : ""),
      make("span", "said", it.runs ? runs(it.runs) : it.line),
    ),
  finding: (it) => {
    const element = make(
      "section",
      `finding ${it.severity}`,
      make("p", "", severityOf(it), " ", make("b", "", it.id), " ", make("span", "cite", it.cite)),
      make("p", "", it.title),
      details(it.lines),
    );
    return it.at ? about(element, it.at[0]) : element;
  },
  cause: (it) =>
    make(
      "section",
      `finding cause ${it.severity}`,
      make("p", "", severityOf(it), " ", make("b", "", it.what)),
      make(
        "p",
        "",
        withThe(make("button", "rule", it.id), { type: "button", "data-rule": it.id }),
        make("span", "evidence", it.evidence),
      ),
      details(it.lines),
    ),
  rules: (it) =>
    it.rules.length === 0
      ? null
      : make(
          "ul",
          "rules",
          it.rules.map((rule) =>
            make(
              "li",
              "",
              severityOf(rule),
              make("span", "times", `${rule.times}×`),
              withThe(make("button", "rule", rule.id), { type: "button", "data-rule": rule.id }),
              make("span", "cite", rule.cite),
            ),
          ),
        ),
  headers: (it, known) =>
    make(
      "div",
      "headers",
      it.h.map((header) => {
        const def = known.defs[header.d];
        const row = make(
          "div",
          `header ${header.verdict}`,
          make("span", "mark", { ok: "✓", warning: "!", broken: "✗" }[header.verdict] ?? "·"),
          make("span", "label", header.name),
          make("span", "value", header.v),
          make("span", "meaning", header.m ?? ""),
        );
        row.explained = { label: header.name, value: header.v, meaning: header.m, def };
        return header.at ? about(withThe(row, { tabindex: -1 }), header.at) : row;
      }),
    ),
};

/** The fields of a frame: a table, a row each. */
const fieldsOf = (rows, known) =>
  make(
    "div",
    "fields",
    rows.map((it, place) => {
      const def = known.defs[it.d] ?? { label: "", help: "", cite: "" };
      const label = make("span", "label", def.label);
      if (it.depth) label.style.paddingInlineStart = `${Math.min(it.depth, 4)}em`;
      const row = make(
        "div",
        it.blamed ? `field blamed ${it.blamed}` : "field",
        make("span", "place", it.at ? placeOf(it.at) : ""),
        label,
        make("span", "value", it.v ?? ""),
        make("span", "meaning", it.m ?? ""),
        make("span", "cite", def.cite),
      );
      if (it.payload) row.append(payloadOf(it.payload, "payload below") ?? "");
      row.explained = { label: def.label, value: it.v, meaning: it.m, def };
      return it.at ? about(withThe(row, { tabindex: -1 }), it.at, place % HUES) : row;
    }),
  );

/** Bytes, and bits within one: `0.4–7`, `2–5`. */
const placeOf = ([start, end]) => {
  const [first, last] = [Math.floor(start / 8), Math.floor((end - 1) / 8)];
  if (start % 8 === 0 && end % 8 === 0) return first === last ? `${first}` : `${first}–${last}`;
  return end - start === 1 ? `${first}.${start % 8}` : `${first}.${start % 8}–${(end - 1) % 8}`;
};

/** The elements of blocks, what is wrong first; rows of fields that follow each other are one table. */
const blocksOf = (blocks, known) => {
  const elements = [];
  const wrong = blocks.filter((it) => it.k === "finding");
  const rest = blocks.filter((it) => it.k !== "finding");
  for (let at = 0; at < rest.length; at++) {
    if (rest[at].k === "row") {
      const from = at;
      while (at + 1 < rest.length && rest[at + 1].k === "row") at++;
      elements.push(fieldsOf(rest.slice(from, at + 1), known));
    } else {
      elements.push(BLOCKS[rest[at].k]?.(rest[at], known) ?? null);
    }
  }
  return [...wrong.map((it) => BLOCKS.finding(it)), ...elements].filter((it) => it !== null);
};
