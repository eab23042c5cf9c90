// Bytes: as a dump, and the bits of a header as RFC 6455 §5.2 draws them.

/** Fields have so many colours, one after the other. */
const HUES = 7;

/** Bytes of a record that are drawn before somebody asks for all of them. */
const FIRST_BYTES = 512;

/** A byte of a record's `bytes`; `undefined` where it is lost, or not at hand. */
const byteAt = (record, at) => {
  const digits = record.bytes.slice(2 * at, 2 * at + 2);
  return digits === "" || digits === "??" ? undefined : parseInt(digits, 16);
};

/** The same as the application sees it. */
const unmaskedAt = (record, at) => {
  const byte = byteAt(record, at);
  if (record.key === undefined || byte === undefined || at < record.header) return byte;
  const place = (at - record.header) % 4;
  return byte ^ parseInt(record.key.slice(2 * place, 2 * place + 2), 16);
};

const hexOf = (byte) => (byte === undefined ? "??" : byte.toString(16).padStart(2, "0"));

const letterOf = (byte) =>
  byte !== undefined && byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";

/** How many bytes a line has room for. */
const columnsFor = (width) => (width < 620 ? 8 : 16);

/** The dump of a record: every byte can be pointed at, and the letters of the content stand beside. */
const dumpOf = (record, rows, width, showAll) => {
  const columns = columnsFor(width);
  const length = record.bytes.length / 2;
  const shown = showAll ? length : Math.min(length, FIRST_BYTES);
  const dump = withThe(make("div", "dump"), { role: "group", tabindex: 0 });
  // The colour of a byte is that of the last field that it begins, or is within.
  const hues = new Array(shown);
  rows.forEach((row, place) => {
    if (!row.at) return;
    const [first, last] = [Math.floor(row.at[0] / 8), Math.min(shown, Math.ceil(row.at[1] / 8))];
    for (let at = first; at < last; at++) hues[at] = place % HUES;
  });
  for (let from = 0; from < shown; from += columns) {
    const bytes = make("span", "bytes");
    const letters = make("span", "letters");
    for (let at = from; at < Math.min(shown, from + columns); at++) {
      const bits = [8 * at, 8 * at + 8];
      bytes.append(about(make("span", "byte", hexOf(byteAt(record, at))), bits, hues[at]));
      const letter =
        record.header !== undefined && at < record.header ? " " : letterOf(unmaskedAt(record, at));
      letters.append(about(make("span", "letter", letter), bits));
    }
    dump.append(
      make("div", "line", make("span", "offset", from.toString(16).padStart(4, "0")), bytes, letters),
    );
  }
  return dump;
};

/** Bytes that nothing but their values is known of. */
const plainDump = (hex, from) => {
  const lines = [];
  for (let at = 0; at < hex.length; at += 32) {
    const pairs = hex.slice(at, at + 32).match(/../g);
    const letters = pairs.map((pair) => letterOf(parseInt(pair, 16))).join("");
    lines.push(`${(from + at / 2).toString(16).padStart(4, "0")}  ${pairs.join(" ").padEnd(47)}  ${letters}`);
  }
  return make("pre", "plain", lines.join("\n"));
};

/** The header's bits in rows of 32, each run of them with its name and value. */
const diagramOf = (record, cells, rows) => {
  const grid = make("div", "diagram");
  for (let bit = 0; bit < 32; bit++)
    grid.append(make("span", bit % 8 === 0 ? "ruler byte" : "ruler", `${bit % 10}`));
  const bitAt = (bit) => {
    const byte = byteAt(record, Math.floor(bit / 8));
    return byte === undefined ? "?" : String((byte >> (7 - (bit % 8))) & 1);
  };
  for (const [label, start, end] of cells) {
    const place = rows.findIndex((row) => row.at && row.at[0] < end && start < row.at[1]);
    for (let from = start; from < end;) {
      const to = Math.min(end, (Math.floor(from / 32) + 1) * 32);
      const digits = Array.from({ length: to - from }, (_, at) => bitAt(from + at));
      // Groups of four are easier to read, where there is room for them.
      const bits = digits.map((digit) => make("i", "", digit));
      const cell = make("span", "cell", make("span", "name", label), make("span", "digits", bits));
      cell.style.gridColumn = `span ${to - from}`;
      if (to - from < 2) cell.classList.add("one");
      grid.append(about(cell, [from, to], place < 0 ? undefined : place % HUES));
      from = to;
    }
  }
  return grid;
};
