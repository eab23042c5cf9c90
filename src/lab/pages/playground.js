// Bytes or bits in, and what a receiver says of them out: decoded by the server, with the same decoder.
import { words } from "/lab/common.js";
import { clear, draw, say } from "/lab/wire.js";

const $ = (id) => document.getElementById(id);
const EXAMPLES = [
  [words.hello, "server", "81 05 48 65 6c 6c 6f"],
  [words.masked, "client", "81 85 37 fa 21 3d 7f 9f 4d 51 58"],
  [words.unmasked, "client", "81 05 48 65 6c 6c 6f"],
  [words.fragments, "server", "01 03 48 65 6c 80 02 6c 6f"],
  [words.close, "server", "88 05 03 e8 62 79 65"],
  [words.longPing, "server", "89 7e 00 7e" + " 61".repeat(126)],
  [words.utf8, "server", "81 02 c3 28"],
  [words.reserved, "server", "83 00"],
  [words.form, "server", "81 7e 00 05 48 65 6c 6c 6f"],
];

/** The bytes that stand there; nothing where something else than hex begins before the second. */
const bytes = () => {
  const hex = $("hex").value.replace(/\s+/g, "").match(/^(?:[0-9a-f]{2})*/i)[0];
  return (hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
};

/** The sixteen bits that begin every frame (RFC 6455 §5.2). */
function bits() {
  const first = [...bytes().slice(0, 2), 0, 0].slice(0, 2);
  $("bits").replaceChildren(...Array.from({ length: 16 }, (_, place) => {
    const [byte, bit] = [place >> 3, 7 - (place & 7)];
    const isSet = (first[byte] >> bit) & 1;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = isSet;
    button.setAttribute("aria-pressed", String(Boolean(isSet)));
    button.title = ["FIN", "RSV1", "RSV2", "RSV3"][place] ?? (place < 8 ? "opcode" : place === 8 ? "MASK" : "payload length");
    button.setAttribute("aria-label", `${button.title}, bit ${place}`);
    button.onclick = () => {
      const all = bytes();
      while (all.length < 2) all.push(0);
      all[byte] ^= 1 << bit;
      $("hex").value = all.map((value) => value.toString(16).padStart(2, "0")).join(" ");
      decode();
      $("bits").children[place].focus();
    };
    return button;
  }));
}

let asked = 0;

async function decode() {
  bits();
  const turn = ++asked;
  const query = new URLSearchParams({ from: $("side").value, lang: document.documentElement.lang });
  const answer = await fetch(`/lab/decode?${query}`, { method: "POST", body: $("hex").value });
  if (turn !== asked) return;
  clear();
  const lines = (await answer.text()).trim();
  const isDecoded = answer.headers.get("content-type").startsWith("application/x-ndjson");
  if (isDecoded) lines.split("\n").filter(Boolean).forEach((record) => draw(JSON.parse(record)));
  else say(lines);
}

$("form").onsubmit = (event) => {
  event.preventDefault();
  decode();
};
$("hex").oninput = decode;
$("side").onchange = decode;
$("examples").append(...EXAMPLES.map(([name, side, hex]) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.onclick = () => {
    [$("hex").value, $("side").value] = [hex, side];
    decode();
  };
  return button;
}).flatMap((button) => [button, " "]));

decode();
