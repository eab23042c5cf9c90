// What was counted: tables, whose shares are bars, and bars for how much there was when.

const SVG = "http://www.w3.org/2000/svg";

/** Bars beside each other, as high as the numbers. */
const courseOf = ({ name, numbers }) => {
  const most = Math.max(...numbers, 1);
  const size = { width: 480, height: 48 };
  const svg = withThe(document.createElementNS(SVG, "svg"), {
    viewBox: `0 0 ${size.width} ${size.height}`,
    role: "img",
    "aria-label": `${name}: ${numbers.join(" ")}`,
  });
  const step = size.width / Math.max(numbers.length, 40);
  numbers.forEach((number, place) => {
    const height = number === 0 ? 0 : Math.max(1.5, (size.height * number) / most);
    const bar = withThe(document.createElementNS(SVG, "rect"), {
      x: place * step,
      y: size.height - height,
      width: Math.max(1, step - 1),
      height,
    });
    const title = document.createElementNS(SVG, "title");
    title.textContent = grouped(number);
    bar.append(title);
    svg.append(bar);
  });
  return make("figure", "course", make("figcaption", "", name), svg);
};

/** A table; a cell that is a share has a bar as long. */
const tableOf = ({ rows: [heads, ...rows], labels }) => {
  const cell = (text, place) => {
    const it = make("td", place < labels ? "name" : "", text);
    const share = /^(\d+(?:\.\d+)?) %$/.exec(text);
    if (share) {
      it.classList.add("share");
      it.style.backgroundSize = `${Math.min(100, Number(share[1]))}% 100%`;
    }
    return it;
  };
  const row = (all, make_) => make("tr", "", all.map(make_));
  return make(
    "table",
    "",
    make(
      "thead",
      "",
      row(heads, (text, place) => make("th", place < labels ? "name" : "", text)),
    ),
    make(
      "tbody",
      "",
      rows.map((it) => row(it, cell)),
    ),
  );
};

const statsOf = (record, name, isOpen) => {
  const pieces = record.pieces.map((piece) => {
    if (piece.rows) return tableOf(piece);
    if (piece.numbers) return courseOf(piece);
    return piece.lines.map((line) => make("p", "words", line));
  });
  const element = make("details", "stats", make("summary", "", name), make("div", "pieces", pieces));
  element.open = isOpen;
  return element;
};
