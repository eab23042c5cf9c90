// The panel: a time line, a filter, and the list of records, drawn from a page or as they arrive.

/** The panel that an element shows. */
const PANELS = new WeakMap();

/** An element that shows records of `wstool`. */
class Panel {
  #root;
  #say;
  #known = new Known();
  #entries = [];
  #latest = new Map();
  #list;
  #tip;
  #lit = [];
  #pinned = null;
  #hovered = null;
  #count = make("output", "count");
  #inputs = {};
  #settles = false;
  #current = null;
  #ends = new AbortController();

  /**
   * Draws into `root`, in the place of a panel before.
   * `words` are those that `render::html::words` gives for a language. Of more than `most`
   * records the oldest are forgotten. `open`: what is added is open at once.
   */
  constructor(root, words = {}, { timeline = true, open = false, most = 20_000 } = {}) {
    this.most = most;
    this.#root = root;
    const say = sayer(words);
    this.#say = say;
    this.opensNew = open;
    PANELS.get(root)?.remove();
    PANELS.set(root, this);
    root.classList.add("wire");
    this.timeline = timeline ? new Timeline(say, (entry) => this.go(entry)) : null;
    this.#tip = new Tip(say);
    const box = withThe(make("div", "list"), { role: "feed" });
    this.#list = new List(box, (entry) => draw(entry, this.#known, say, box.clientWidth), this.#ends.signal);
    root.append(this.timeline?.element ?? "", this.#bar(), box);
    this.#listen(box);
  }

  /** What records say, one after the other. */
  add(record) {
    this.#known.learn(record);
    // What the input is, and what it came to, stands above.
    if (!record.blocks || record.type === "meta" || record.type === "head") return null;
    const before = this.#latest.get(record.conn);
    if (record.under && before) {
      before.add(record);
      this.timeline?.add(record, before);
      if (before.isOpen) this.#list.redraw(before);
      return before;
    }
    const entry = new Entry(record);
    entry.isOpen = this.opensNew;
    this.#entries.push(entry);
    // What comes as it happens may never end.
    if (this.#entries.length > this.most) this.#entries.splice(0, Math.ceil(this.most / 10));
    this.#latest.set(record.conn, entry);
    this.timeline?.add(record, entry);
    this.settle();
    return entry;
  }

  /** Ends it: nothing of it stays. */
  remove() {
    this.#ends.abort();
    this.#tip.element.remove();
    this.#root.replaceChildren();
  }

  get entries() {
    return this.#entries;
  }

  /** Shows what was added, soon. */
  settle() {
    if (this.#settles) return;
    this.#settles = true;
    requestAnimationFrame(() => {
      this.#settles = false;
      this.timeline?.draw();
      this.#filter();
    });
  }

  /** Goes to an entry, whatever is filtered. */
  go(entry) {
    if (!this.#list.entries.includes(entry)) this.search("");
    entry.isOpen = true;
    this.#list.redraw(entry);
    const element = this.#list.reveal(entry);
    this.#focus(element);
  }

  /** Shows what has these words in it. */
  search(text) {
    this.#inputs.text.value = text;
    if (text === "") {
      this.#inputs.side.value = "";
      this.#inputs.kind.value = "";
      this.#inputs.findings.checked = false;
    }
    this.#filter();
  }

  /** Opens all of them, or none. */
  openAll(isOpen) {
    this.opensNew = isOpen;
    this.#entries.forEach((entry) => (entry.isOpen = isOpen));
    this.#list.redrawAll();
  }

  /** All of it is drawn, as it is printed. */
  set isPrinted(isPrinted) {
    this.#root.classList.toggle("printed", isPrinted);
    this.#list.all = isPrinted;
  }

  #bar() {
    const say = this.#say;
    const option = (value, text) => withThe(make("option", "", text), { value });
    const select = (name, options) => withThe(make("select", "", options), { "aria-label": name });
    const sought = say("search text, rules, addresses");
    const text = withThe(make("input"), { type: "search", placeholder: sought, "aria-label": sought });
    const side = select(say("either side"), [
      option("", say("either side")),
      option("client", say("client")),
      option("server", say("server")),
    ]);
    const kinds = ["text", "binary", "continuation", "close", "ping", "pong"];
    const kind = select(say("every opcode"), [
      option("", say("every opcode")),
      ...kinds.map((it) => option(it, say(it))),
    ]);
    const findings = withThe(make("input"), { type: "checkbox" });
    const button = (name, act) => {
      const it = withThe(make("button", "", name), { type: "button" });
      it.addEventListener("click", act);
      return it;
    };
    this.#inputs = { text, side, kind, findings };
    for (const it of Object.values(this.#inputs)) it.addEventListener("input", () => this.#filter());
    return withThe(
      make(
        "form",
        "filter",
        text,
        side,
        kind,
        make("label", "", findings, ` ${say("only findings")}`),
        button(say("open all"), () => this.openAll(true)),
        button(say("fold all"), () => this.openAll(false)),
        this.#count,
      ),
      {
        role: "search",
        title: say("j and k go from one to the next, Enter opens it, n goes to the next finding, / searches"),
      },
    );
  }

  #filter() {
    const { text, side, kind, findings } = this.#inputs;
    const sought = text.value.trim().toLowerCase();
    const shown = this.#entries.filter(
      (entry) =>
        (!side.value || entry.record.dir === side.value) &&
        (!kind.value || entry.record.op === kind.value) &&
        (!findings.checked || entry.worst) &&
        (!sought || entry.text.includes(sought)),
    );
    this.#list.show(shown);
    this.#count.textContent =
      shown.length === 0 && this.#entries.length > 0
        ? this.#say("nothing here matches")
        : this.#say("{} of {}", grouped(shown.length), grouped(this.#entries.length));
  }

  #listen(box) {
    const { signal } = this.#ends;
    box.addEventListener("click", (event) => this.#click(event));
    box.addEventListener("pointermove", (event) => this.#hover(event));
    box.addEventListener("pointerleave", (event) => this.#hover(event));
    box.addEventListener("focusin", (event) => this.#enter(event.target));
    box.addEventListener("focusout", () => this.#point(null));
    this.#root.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#root.addEventListener(
      "click",
      (event) => {
        const rule = event.target.closest?.("button.rule");
        if (rule) this.search(rule.dataset.rule);
      },
      { signal },
    );
    this.#root.addEventListener("submit", (event) => event.preventDefault(), { signal });
    window.addEventListener("beforeprint", () => (this.isPrinted = true), { signal });
    window.addEventListener("afterprint", () => (this.isPrinted = false), { signal });
  }

  /** A mouse has moved: not what is below it. */
  #hover(event) {
    const target = event.target.closest("[data-from]");
    if (event.pointerType !== "mouse" || this.#pinned || target === this.#hovered) return;
    this.#hovered = target;
    this.#point(target);
  }

  #entryOf(element) {
    return element?.closest?.("article.record")?.entry ?? null;
  }

  #click(event) {
    const entry = this.#entryOf(event.target);
    if (!entry) return;
    if (event.target.closest("button.line")) {
      entry.isOpen = !entry.isOpen;
      this.#list.redraw(entry);
      this.#focus(this.#list.reveal(entry));
    } else if (event.target.closest("button.more")) {
      entry.showsAll = true;
      this.#list.redraw(entry);
    } else {
      // A tap shows what pointing at it would, until the next one.
      const target = event.target.closest("[data-from]");
      this.#pinned = target === this.#pinned ? null : target;
      this.#point(this.#pinned);
    }
  }

  #focus(element) {
    element?.querySelector("button.line")?.focus({ preventScroll: true });
  }

  #enter(target) {
    this.#current = this.#entryOf(target);
    if (target.matches(".dump")) this.#point(target.querySelector(".byte"));
    else if (target.matches("[data-from]")) this.#point(target);
  }

  #key(event) {
    const isTyping = event.target.matches("input, select");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      this.#pinned = null;
      this.#point(null);
      if (isTyping) event.target.blur();
      return;
    }
    if (isTyping) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: "row", ArrowUp: "-row" }[event.key];
    if (step !== undefined && event.target.matches(".dump, .byte")) this.#step(event, step);
    else if (event.key === "/") this.#act(event, () => this.#inputs.text.focus());
    else if (event.key === "j" || event.key === "ArrowDown")
      this.#act(event, () => this.#move(1, () => true));
    else if (event.key === "k" || event.key === "ArrowUp") this.#act(event, () => this.#move(-1, () => true));
    else if (event.key === "n") this.#act(event, () => this.#move(1, (entry) => entry.worst));
    else if (event.key === "p") this.#act(event, () => this.#move(-1, (entry) => entry.worst));
  }

  #act(event, act) {
    event.preventDefault();
    act();
  }

  /** From one byte to the next. */
  #step(event, step) {
    const dump = event.target.closest(".dump");
    const bytes = [...dump.querySelectorAll(".byte")];
    const from = Math.max(
      0,
      bytes.findIndex((it) => it.classList.contains("here")),
    );
    const row = dump.querySelector(".line").querySelectorAll(".byte").length;
    const to = from + (step === "row" ? row : step === "-row" ? -row : step);
    if (bytes[to]) this.#act(event, () => this.#point(bytes[to]));
  }

  /** From one entry to the next that is wanted. */
  #move(by, isWanted) {
    const shown = this.#list.entries;
    const from = this.#current ? shown.indexOf(this.#current) : -1;
    for (let at = from < 0 && by < 0 ? shown.length - 1 : from + by; shown[at]; at += by) {
      if (isWanted(shown[at])) {
        this.#focus(this.#list.reveal(shown[at]));
        return;
      }
    }
  }

  /** Lights up what has bits in common with an element, and explains it. */
  #point(target) {
    const here = target?.closest?.("[data-from]");
    this.#lit.forEach((it) => it.classList.remove("lit", "here"));
    this.#lit = [];
    this.#tip.hide();
    const article = here?.closest("article.record");
    if (!article) return;
    const [from, to] = [Number(here.dataset.from), Number(here.dataset.to)];
    const touches = (it) => Number(it.dataset.from) < to && from < Number(it.dataset.to);
    this.#lit = [...article.querySelectorAll("[data-from]")].filter(touches);
    this.#lit.forEach((it) => it.classList.add("lit"));
    here.classList.add("here");
    this.#tip.explain(here, this.#lit, article.entry.record, [from, to]);
  }
}

export { Panel };
