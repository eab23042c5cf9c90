// The wire panel: records of this page's connections, drawn as `decode --format html` draws them.
import { panel } from "/lab/common.js";
import { Panel } from "/lab/panel.js";

const at = document.getElementById("wire");
const own = JSON.parse(document.getElementById("wire-words").textContent);
const isLive = at.dataset.live !== undefined;
// What somebody has typed is little: all of it is open.
const begin = () => new Panel(at, own, { timeline: isLive, open: !isLive });
let shown = begin();

/** Draws one record. */
export const draw = (record) => shown.add(record);

/** Begins anew: a panel takes the place of the one before, and of what was said there. */
export function clear() {
  shown = begin();
}

/** Says something instead. */
export function say(text) {
  const p = document.createElement("p");
  p.className = "bad";
  p.textContent = text;
  at.replaceChildren(p);
}

if (isLive) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  // What this connection is told, no panel is told of.
  new WebSocket(`${scheme}//${location.host}/lab/wire/${panel}`).onmessage = ({ data }) => draw(JSON.parse(data));
}
