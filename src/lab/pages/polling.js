// The same messages by every way there is: requests, messages and bytes of bodies, counted.
import { socketUrl, tapped, words } from "/lab/common.js";

const $ = (id) => document.getElementById(id);
const size = (text) => new TextEncoder().encode(text).length;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const me = "page";
let [beat, count] = [null, 0];

/** Each way: how it begins, given what to call for a request, for bytes, for a line; it gives what ends it. */
const WAYS = {
  short(row) {
    let over = false;
    (async () => {
      for (let since = await now(); !over; await pause(1000)) since = await ask("/poll/short", since, row);
    })();
    return () => (over = true);
  },
  long(row) {
    const abort = new AbortController();
    (async () => {
      let since = await now();
      while (!abort.signal.aborted) since = await ask("/poll/long", since, row, abort.signal);
    })().catch(() => {});
    return () => abort.abort();
  },
  jsonp({ request, bytes, message }) {
    let [over, since, number] = [false, 0, 0];
    const next = () => {
      if (over) return;
      request();
      const script = document.createElement("script");
      const name = `told${number++}`;
      window[name] = (told) => {
        bytes(size(`/**/${name}(${JSON.stringify(told)});`));
        told.lines.forEach(message);
        since = told.last;
      };
      script.onload = script.onerror = () => {
        delete window[name];
        script.remove();
        setTimeout(next, 50);
      };
      script.src = tapped(`/poll/jsonp?since=${since}&callback=${name}`);
      document.head.append(script);
    };
    now().then((last) => ((since = last), next()));
    return () => (over = true);
  },
  forever({ request, bytes, message }) {
    const frame = document.createElement("iframe");
    frame.title = "forever iframe";
    // The page that never ends calls this function of ours for every line.
    window.said = (line) => {
      bytes(size(`<script>said(${JSON.stringify(line)})</script>\n`));
      message(line);
    };
    now().then((last) => {
      request();
      frame.src = tapped(`/poll/iframe?since=${last}`);
      $("frames").append(frame);
    });
    return () => frame.remove();
  },
  multipart({ request, bytes, message }) {
    const abort = new AbortController();
    (async () => {
      const url = tapped(`/poll/multipart?since=${await now()}`);
      request();
      const answer = await fetch(url, { signal: abort.signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { value, done } = await reader.read();
        if (done) return;
        bytes(size(value));
        const parts = (rest + value).split("--line\r\n");
        rest = parts.pop();
        parts.map((part) => part.split("\r\n\r\n")[1]?.trimEnd()).filter(Boolean).forEach(message);
      }
    })().catch(() => {});
    return () => abort.abort();
  },
  events({ request, bytes, message }) {
    let source = null;
    now().then((last) => {
      request();
      source = new EventSource(tapped(`/poll/events?since=${last}`));
      source.onmessage = ({ data, lastEventId }) => {
        bytes(size(`id: ${lastEventId}\ndata: ${data}\n\n`));
        message(data);
      };
    });
    return () => source?.close();
  },
  socket({ request, bytes, message }) {
    request();
    const socket = new WebSocket(socketUrl(`/chat?name=${me}`));
    socket.onmessage = ({ data }) => {
      bytes(size(data) + 2);
      if (!data.startsWith("you are ")) message(data);
    };
    return () => socket.close();
  },
};

/** The number of the last line: every way begins behind it. */
async function now() {
  return (await (await fetch("/poll/short?since=0")).json()).last;
}

/** One poll; gives the number of the last line. */
async function ask(path, since, { request, bytes, message }, signal) {
  request();
  const body = await (await fetch(tapped(`${path}?since=${since}`), { signal })).text();
  bytes(size(body));
  const { last, lines } = JSON.parse(body);
  lines.forEach(message);
  return last;
}

/** Says a line in the room that all ways lead to, on a WebSocket: browsers open six connections for HTTP. */
const speaker = new WebSocket(location.href.replace(/^http/, "ws").replace(/\/lab\/.*/, `/chat?name=${me}`));
const publish = () => speaker.readyState === WebSocket.OPEN && speaker.send(`tick ${++count}`);

const rows = Object.keys(WAYS).map((way) => {
  const tr = document.createElement("tr");
  const cells = Array.from({ length: 5 }, () => tr.appendChild(document.createElement("td")));
  cells[0].textContent = words[way];
  cells.slice(1, 4).forEach((cell) => (cell.className = "number"));
  $("rows").append(tr);
  const counts = { requests: 0, messages: 0, bytes: 0 };
  const show = () => [counts.requests, counts.messages, counts.bytes].forEach((n, at) => (cells[at + 1].textContent = n));
  show();
  return {
    way,
    clear() {
      Object.assign(counts, { requests: 0, messages: 0, bytes: 0 });
      cells[4].textContent = "";
      show();
    },
    request() { counts.requests++; show(); },
    bytes(count) { counts.bytes += count; show(); },
    message(text) { counts.messages++; cells[4].textContent = text.slice(0, 40); show(); },
  };
});

let ends = [];

$("run").onsubmit = (event) => {
  event.preventDefault();
  rows.forEach((row) => row.clear());
  ends = rows.map((row) => WAYS[row.way](row));
  beat = setInterval(publish, 1000);
  [$("start").disabled, $("stop").disabled] = [true, false];
};

$("stop").onclick = () => {
  ends.forEach((end) => end());
  ends = [];
  clearInterval(beat);
  [$("start").disabled, $("stop").disabled] = [false, true];
};

$("publish").onclick = publish;
