// What the pages share: a log, a name for this page's connections, and the wire panel beside them.
"use strict";

/** The words of this page, in its language: see the element with the id "words". */
export const words = JSON.parse(document.getElementById("words")?.textContent || "{}");

/** Names this page's connections, in its language, so that the panel beside it shows these and no others. */
export const panel = document.documentElement.lang + crypto.getRandomValues(new Uint32Array(2)).join("x");

/** The URL of a path on this server, told of in this page's panel. */
export function tapped(path, scheme = location.protocol) {
  const url = new URL(path, location.href);
  url.protocol = scheme;
  url.searchParams.set("panel", panel);
  return url.href;
}

/** The same for WebSocket. */
export const socketUrl = (path) => tapped(path, location.protocol === "https:" ? "wss:" : "ws:");

/** Appends a line to a log: when, a word in bold, and text. Text from elsewhere is text, never HTML. */
export function line(log, kind, text, name = "") {
  const p = document.createElement("p");
  p.className = kind;
  const when = document.createElement("span");
  when.className = "when";
  when.textContent = new Date().toLocaleTimeString();
  p.append(when);
  if (name) {
    const b = document.createElement("b");
    b.textContent = name;
    p.append(b, " ");
  }
  p.append(text);
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(p);
  while (log.childElementCount > 1000) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Fills the holes {} of a sentence. Where a Chinese character and a Latin one meet, a space comes by itself. */
export const fill = (sentence, ...parts) => parts.reduce((text, part) => text.replace("{}", (_, at) => {
  const [before, after] = [text.slice(0, at), text.slice(at + 2)];
  const spaced = /\p{Script=Han}$/u.test(before) && /^[\w]/.test(part) ? ` ${part}` : `${part}`;
  return /[\w]$/.test(spaced) && /^\p{Script=Han}/u.test(after) ? `${spaced} ` : spaced;
}), sentence);

/** Sets the names of who is online. */
export function people(list, names) {
  list.replaceChildren(...names.map((name) => {
    const li = document.createElement("li");
    li.textContent = name;
    return li;
  }));
}
