// The explanation of what somebody points at.

class Tip {
  element = withThe(make("aside", "wire-tip"), { role: "status", "aria-live": "polite" });
  #say;

  constructor(say) {
    this.#say = say;
    this.hide();
    // Where nothing that scrolls cuts it off.
    document.body.append(this.element);
  }

  hide() {
    this.element.hidden = true;
  }

  /** Explains an element of a record, whose bits are also in those that are `lit`. */
  explain(here, lit, record, [from, to]) {
    const say = this.#say;
    const lines = [];
    const isByte = here.matches(".byte, .letter");
    if (isByte) {
      const at = from / 8;
      const byte = byteAt(record, at);
      const bits =
        byte === undefined
          ? ""
          : byte
              .toString(2)
              .padStart(8, "0")
              .replace(/(....)/, "$1 ");
      const plain = unmaskedAt(record, at);
      const values = [make("code", "", `0x${hexOf(byte)}`), " · ", make("code", "", bits)];
      lines.push(make("p", "where", say("byte {}", at), " · ", values));
      if (byte === undefined) lines.push(make("p", "", say("lost in a gap")));
      else if (plain !== byte) {
        const key = hexOf(byte ^ plain);
        lines.push(
          make("p", "", make("code", "", `${hexOf(byte)} XOR ${key} = ${hexOf(plain)} ${letterOf(plain)}`)),
        );
      }
    } else {
      lines.push(make("p", "where", this.#where(from, to)));
    }
    const said = isByte || !here.explained ? lit.filter((it) => it.explained) : [here];
    for (const { explained } of said.slice(0, 6)) {
      const { label, value, meaning, def } = explained;
      lines.push(
        make(
          "p",
          "",
          make("b", "", label),
          " ",
          make("code", "", (value ?? "").slice(0, 80)),
          meaning ? ` ${meaning}` : "",
        ),
        def ? make("p", "help", def.help, " ", make("span", "cite", def.cite)) : null,
      );
    }
    this.element.replaceChildren(...lines.filter((it) => it !== null));
    this.element.hidden = false;
    this.#place(here);
  }

  /** Bits in words, as findings name them. */
  #where(from, to) {
    const [first, last] = [Math.floor(from / 8), Math.floor((to - 1) / 8)];
    if (from % 8 === 0 && to % 8 === 0) {
      return first === last ? this.#say("byte {}", first) : this.#say("bytes {}–{}", first, last);
    }
    return to - from === 1
      ? this.#say("byte {}, bit {}", first, from % 8)
      : this.#say("byte {}, bits {}–{}", first, from % 8, (to - 1) % 8);
  }

  /** Puts the explanation beside the bytes if there is room, or else near what it is of. */
  #place(here) {
    const near = here.getBoundingClientRect();
    const article = here.closest("article");
    const [dump, diagram] = [".dump", ".diagram"].map((it) =>
      article.querySelector(it)?.getBoundingClientRect(),
    );
    const edge = document.documentElement.clientWidth;
    const { style } = this.element;
    style.maxWidth = "";
    const beside = dump ? Math.max(dump.right, diagram?.right ?? 0) + 24 : Infinity;
    const isByBytes = here.matches(".byte, .letter, .cell");
    if (edge - beside >= 280 && (isByBytes || dump.bottom > HIDDEN + 60)) {
      style.maxWidth = `${edge - beside - 40}px`;
      style.left = `${beside}px`;
      // Not over the fields, which stand below the bytes.
      const top = isByBytes ? near.top - 8 : Math.min(near.top, dump.bottom) - this.element.offsetHeight - 8;
      style.top = `${Math.max(HIDDEN, top)}px`;
      return;
    }
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const below = near.bottom + 10;
    style.top = `${below + height < window.innerHeight ? below : Math.max(4, near.top - height - 10)}px`;
    style.left = `${Math.min(Math.max(4, near.left - 12), Math.max(4, edge - width - 8))}px`;
  }
}
