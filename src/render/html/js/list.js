// A list of which only what is on the screen is drawn, however long it is.

/** How high an entry is taken for before it was drawn, in pixels. */
const LINE = 34;

/** What the filter hides of the screen, in pixels. */
const HIDDEN = 60;

/** How much is drawn beyond the edges of the screen. */
const MARGIN = 400;

class List {
  #box;
  #draw;
  #entries = [];
  #heights = new WeakMap();
  /** Where each entry begins, and behind the last one the end; nothing where that has to be found anew. */
  #tops = null;
  #drawn = new Map();
  #open = { sum: 0, times: 0 };
  #all = false;
  #waits = false;

  /** Draws entries into `box` with `draw`, which makes an element of one, until `signal` ends that. */
  constructor(box, draw, signal) {
    this.#box = box;
    this.#draw = draw;
    // Whatever scrolls around it.
    document.addEventListener("scroll", () => this.soon(), { capture: true, passive: true, signal });
    window.addEventListener("resize", () => this.soon(), { signal });
    new ResizeObserver(() => this.soon()).observe(box);
  }

  get entries() {
    return this.#entries;
  }

  /** Shows these, in this order. */
  show(entries) {
    this.#entries = entries;
    this.#tops = null;
    this.soon();
  }

  /** An entry has changed. */
  redraw(entry) {
    this.#heights.delete(entry);
    this.#drawn.get(entry)?.remove();
    this.#drawn.delete(entry);
    this.#tops = null;
    this.now();
  }

  /** All have. */
  redrawAll() {
    this.#heights = new WeakMap();
    this.#drawn.forEach((element) => element.remove());
    this.#drawn.clear();
    this.#tops = null;
    this.now();
  }

  /** Draws all of it, for paper. */
  set all(all) {
    this.#all = all;
    this.now();
  }

  soon() {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      this.now();
    });
  }

  /** Sees to it that an entry is on the screen; gives its element. */
  reveal(entry) {
    const place = this.#entries.indexOf(entry);
    if (place < 0) return null;
    // What is far away is drawn once it is there, and may be higher than was thought.
    for (let round = 0; round < 4; round++) {
      this.now();
      const top = this.#box.getBoundingClientRect().top + this.#tops[place];
      const shown = Math.min(this.#height(entry), window.innerHeight / 2);
      if (top >= HIDDEN && top + shown <= window.innerHeight) break;
      scrollerOf(this.#box).scrollBy(0, top - window.innerHeight / 4);
    }
    this.now();
    return this.#drawn.get(entry) ?? null;
  }

  /** How high an entry is, or is likely to be. */
  #height(entry) {
    const height = this.#heights.get(entry);
    if (height !== undefined) return height;
    return entry.isOpen && this.#open.times > 0 ? this.#open.sum / this.#open.times : LINE;
  }

  #find() {
    if (this.#tops) return;
    const tops = new Float64Array(this.#entries.length + 1);
    this.#entries.forEach((entry, place) => {
      tops[place + 1] = tops[place] + this.#height(entry);
    });
    this.#tops = tops;
  }

  /** The first entry that ends below `y`. */
  #placeAt(y) {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tops[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  now() {
    const scroller = scrollerOf(this.#box);
    // What was measured changes where things are, and with that what is on the screen.
    for (let round = 0; round < 4; round++) {
      this.#find();
      const { scrollTop, clientHeight, scrollHeight } = scroller;
      const isAtEnd = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 2;
      const top = this.#box.getBoundingClientRect().top;
      const first = this.#all ? 0 : this.#placeAt(-top - MARGIN);
      const last = this.#all ? this.#entries.length : this.#placeAt(window.innerHeight - top + MARGIN) + 1;
      this.#fill(this.#entries.slice(first, last));
      const anchor = this.#placeAt(-top);
      const anchored = this.#tops[anchor];
      const isAsThought = this.#measure();
      this.#find();
      this.#entries.slice(first, last).forEach((entry, at) => {
        this.#drawn.get(entry).style.transform = `translateY(${this.#tops[first + at]}px)`;
      });
      this.#box.style.height = `${this.#tops[this.#entries.length]}px`;
      // Who is at the end stays there; for others what they read stays where it is.
      if (isAtEnd && scroller.scrollHeight !== scrollHeight) scroller.scrollTop = scroller.scrollHeight;
      else if (top < 0 && this.#tops[anchor] !== anchored) {
        scroller.scrollBy(0, this.#tops[anchor] - anchored);
      }
      if (isAsThought) break;
    }
  }

  /** Sees to it that these are drawn, in their order, and no others. */
  #fill(entries) {
    const wanted = new Set(entries);
    const focused = document.activeElement;
    for (const [entry, element] of this.#drawn) {
      // What has the focus stays, or the keys would have nowhere to go.
      if (wanted.has(entry) || (element.contains(focused) && this.#entries.includes(entry))) continue;
      element.remove();
      this.#drawn.delete(entry);
    }
    let before = null;
    for (const entry of entries) {
      let element = this.#drawn.get(entry);
      if (!element) {
        element = this.#draw(entry);
        this.#drawn.set(entry, element);
        if (before) before.after(element);
        else this.#box.prepend(element);
      }
      before = element;
    }
  }

  /** Measures what is drawn; whether it is as high as was thought. */
  #measure() {
    const heights = [...this.#drawn].map(([entry, element]) => [entry, element.offsetHeight]);
    for (const [entry, height] of heights) {
      if (height === 0 || height === this.#heights.get(entry)) continue;
      if (entry.isOpen) {
        this.#open.sum += height;
        this.#open.times++;
      }
      this.#heights.set(entry, height);
      this.#tops = null;
    }
    return this.#tops !== null;
  }
}

/** What scrolls an element. */
const scrollerOf = (element) => {
  for (let it = element.parentElement; it; it = it.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(it).overflowY) && it.scrollHeight > it.clientHeight) return it;
  }
  return document.scrollingElement;
};
