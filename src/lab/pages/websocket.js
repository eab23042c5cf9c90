// A chat over the browser's own WebSocket: its four events, as they fire.
import { fill, line, people, socketUrl, words } from "/lab/common.js";

const $ = (id) => document.getElementById(id);
const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
let socket = null;
let online = [];

$("url").textContent = socketUrl("/chat").split("?")[0];

function show() {
  const state = socket?.readyState ?? WebSocket.CLOSED;
  $("state").textContent = STATES[state];
  $("open").disabled = state !== WebSocket.CLOSED;
  $("close").disabled = state !== WebSocket.OPEN;
  $("text").disabled = $("send").disabled = state !== WebSocket.OPEN;
}

$("join").onsubmit = (event) => {
  event.preventDefault();
  socket = new WebSocket(socketUrl(`/chat?name=${encodeURIComponent($("name").value)}`));
  socket.onopen = () => {
    line($("log"), "happened", words.open, "onopen");
    show();
    $("text").focus();
  };
  socket.onmessage = ({ data }) => {
    line($("log"), "happened", data, "onmessage");
    hear(data);
  };
  socket.onclose = ({ code, reason, wasClean }) => {
    const how = wasClean ? words.clean : words.unclean;
    line($("log"), "happened", `code ${code}${reason && ` “${reason}”`} · ${how}`, "onclose");
    online = [];
    people($("people"), online);
    show();
  };
  socket.onerror = () => line($("log"), "happened bad", words.error, "onerror");
  show();
};

/** What the server says of who is there; what people say has a name and a colon before it. */
function hear(text) {
  const [, list] = /^(?:you are [^:,]+; )?online: (.*)$/.exec(text) ?? [];
  const [, name, act] = /^([^:]+) (joined|left)$/.exec(text) ?? [];
  const [, before, after] = /^([^:]+) is now ([^:]+)$/.exec(text) ?? [];
  if (list !== undefined) online = list.split(", ");
  else if (act === "joined") online = [...online, name];
  else if (act === "left") online = online.filter((other) => other !== name);
  else if (after) online = online.map((other) => (other === before ? after : other));
  else return;
  people($("people"), online);
}

$("say").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value;
  if (!text || socket?.readyState !== WebSocket.OPEN) return;
  socket.send(text);
  line($("log"), "own", text, fill("{}:", $("name").value));
  $("text").value = "";
};

$("close").onclick = () => {
  socket.close(1000, "bye");
  show();
};

show();
