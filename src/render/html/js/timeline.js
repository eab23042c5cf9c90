// The time line: a bar for each connection, from its first record to its last, with marks for what happened.

/** Connections that have a bar. */
const BARS = 200;

/** Marks on one bar. */
const MARKS = 60;

class Timeline {
  element = make("section", "timeline");
  #bars = new Map();
  #least = Infinity;
  #most = -Infinity;
  #say;
  #onPick;

  constructor(say, onPick) {
    this.#say = say;
    this.#onPick = onPick;
  }

  add(record, entry) {
    if (record.conn === 0 || record.type === "known") return;
    let bar = this.#bars.get(record.conn);
    if (!bar) {
      bar = {
        conn: record.conn,
        from: Infinity,
        to: -Infinity,
        marks: [],
        about: "",
        worst: null,
        entry,
      };
      this.#bars.set(record.conn, bar);
    }
    if (record.type === "connection" && !record.over) bar.about = record.blocks[0]?.about ?? "";
    bar.worst = worse(bar.worst, record.worst);
    const time = record.t === undefined ? NaN : Number(record.t);
    if (Number.isNaN(time)) return;
    bar.from = Math.min(bar.from, time);
    bar.to = Math.max(bar.to, time);
    this.#least = Math.min(this.#least, time);
    this.#most = Math.max(this.#most, time);
    if (bar.marks.length >= MARKS) return;
    if (record.worst)
      bar.marks.push({
        time,
        name: record.worst,
        entry,
        words: record.blocks.find((it) => it.k === "finding")?.id,
      });
    else if (record.type === "frame" && record.op === "close") {
      bar.marks.push({ time, name: `close ${record.dir}`, entry, words: record.blocks[0]?.about });
    }
  }

  draw() {
    const span = this.#most - this.#least;
    const bars = [...this.#bars.values()].filter((bar) => bar.from <= bar.to);
    this.element.replaceChildren();
    if (bars.length === 0 || !(span > 0)) return;
    const at = (time) => `${(100 * (time - this.#least)) / span}%`;
    const rows = bars.slice(0, BARS).map((bar) => {
      const line = make("span", `bar ${bar.worst ?? ""}`);
      line.style.insetInlineStart = at(bar.from);
      line.style.width = `${Math.max(0.4, (100 * (bar.to - bar.from)) / span)}%`;
      const marks = bar.marks.map((it) => {
        const mark = withThe(make("button", `mark ${it.name}`), {
          type: "button",
          title: it.words ?? "",
          "aria-label": it.words ?? "",
          tabindex: -1,
        });
        mark.style.insetInlineStart = at(it.time);
        mark.addEventListener("click", () => this.#onPick(it.entry));
        return mark;
      });
      const name = withThe(make("button", "name", this.#say("connection {}", bar.conn)), {
        type: "button",
        title: bar.about,
      });
      name.addEventListener("click", () => this.#onPick(bar.entry));
      return make("div", "row", name, make("span", "track", line, marks));
    });
    const seconds = span < 1 ? `${(span * 1000).toPrecision(3)} ms` : `${Number(span.toPrecision(4))} s`;
    const scale = make(
      "div",
      "row scale",
      make("span", "name"),
      make("span", "track", make("span", "", "0"), make("span", "", seconds)),
    );
    this.element.append(make("h2", "", this.#say("time line")), ...rows, scale);
    if (bars.length > BARS)
      this.element.append(make("p", "left", this.#say("and {} more connections", bars.length - BARS)));
  }
}
