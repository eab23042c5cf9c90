// A record: a line that says what it is, and below it, when it is open, everything about it.

/** A record as the panel keeps it, with what the records under it say. */
class Entry {
  isOpen = false;
  showsAll = false;

  constructor(record) {
    this.record = record;
    this.blocks = record.blocks;
    this.worst = record.worst;
  }

  /** What belongs to it comes later. */
  add(record) {
    this.blocks = this.blocks.concat(record.blocks);
    this.worst = worse(this.worst, record.worst);
    this.searched = undefined;
  }

  get heading() {
    const first = this.blocks[0];
    return first && (first.k === "heading" || first.k === "file" || first.k === "event") ? first : null;
  }

  get rules() {
    return this.blocks.filter((it) => it.k === "finding");
  }

  /** All that it says, to be searched. */
  get text() {
    if (this.searched === undefined) {
      const found = [];
      const walk = (value) => {
        if (typeof value === "string") found.push(value);
        else if (value && typeof value === "object") Object.values(value).forEach(walk);
      };
      walk(this.blocks);
      this.searched = found.join("\n").toLowerCase();
    }
    return this.searched;
  }

  /** The beginning of its content. */
  get preview() {
    for (const it of this.blocks) {
      if (it.k === "start") return it.line.slice(0, 120);
      const text = it.payload?.parts[0]?.text;
      if (text) return text.slice(0, 120);
      if (it.k === "words")
        return it.runs
          .map(([, words]) => words)
          .join("")
          .slice(0, 120);
    }
    return "";
  }
}

const RANKS = ["note", "warning", "error"];

const worse = (one, other) => (RANKS.indexOf(other) > RANKS.indexOf(one) ? other : one);

/** Draws an entry. `width` is that of the list. */
const draw = (entry, known, say, width) => {
  const { record, heading } = entry;
  const packets = heading?.packets;
  const line = withThe(
    make(
      "button",
      "line",
      make(
        "span",
        `way ${record.dir ?? ""}`,
        record.dir === "client" ? "→" : record.dir === "server" ? "←" : "",
      ),
      make("span", "what", heading?.what ?? heading?.by ?? ""),
      make("span", "about", heading?.about ?? ""),
      entry.isOpen ? null : make("span", "preview", entry.preview),
      entry.isOpen ? null : entry.rules.slice(0, 3).map((it) => make("span", `badge ${it.severity}`, it.id)),
      make(
        "span",
        "from",
        [
          heading?.file,
          known.hasSeveral && record.conn > 0 && record.type !== "connection"
            ? say("connection {}", record.conn)
            : "",
          packets ? `#${packets[0] === packets[1] ? packets[0] : `${packets[0]}–${packets[1]}`}` : "",
          heading?.when,
        ]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
    { type: "button", "aria-expanded": entry.isOpen },
  );
  const element = make("article", `record ${record.type} ${record.dir ?? ""} ${entry.worst ?? ""}`, line);
  element.entry = entry;
  if (entry.isOpen) element.append(body(entry, known, say, width));
  return element;
};

/** What is below the line. */
const body = (entry, known, say, width) => {
  const { record } = entry;
  const blocks = entry.blocks.slice(entry.heading && entry.heading.k !== "event" ? 1 : 0);
  const rows = blocks.filter((it) => it.k === "row");
  const parts = blocksOf(blocks, known);
  const bytes = [];
  if (record.bytes) {
    const cells = known.shapes[record.shape];
    if (cells) bytes.push(diagramOf(record, cells, rows));
    bytes.push(dumpOf(record, rows.length > 0 ? rows : headersOf(blocks), width, entry.showsAll));
    const drawn = entry.showsAll ? record.bytes.length / 2 : Math.min(FIRST_BYTES, record.bytes.length / 2);
    if (drawn < record.length) {
      const told = say("{} of {} bytes", grouped(drawn), grouped(record.length));
      const isMore = drawn < record.bytes.length / 2;
      bytes.push(
        isMore ? withThe(make("button", "more", told), { type: "button" }) : make("p", "left", told),
      );
    }
  }
  const wrong = parts.filter((it) => it.classList.contains("finding"));
  const rest = parts.filter((it) => !it.classList.contains("finding"));
  // A head is read before its bytes, a frame's bytes before what they say.
  return record.type === "http"
    ? make("div", "body", wrong, rest, bytes)
    : make("div", "body", wrong, bytes, rest);
};

/** Header fields, for the colours of their bytes. */
const headersOf = (blocks) => blocks.flatMap((it) => (it.k === "headers" ? it.h : []));
