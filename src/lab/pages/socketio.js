// The classic chat of Socket.IO's tutorial, with who is online.
import { fill, line, people, tapped, words } from "/lab/common.js";
import { Client } from "/lab/socketio-client.js";

const $ = (id) => document.getElementById(id);
let client = null;

function show(isOpen, state) {
  $("state").textContent = state;
  $("open").disabled = client !== null;
  $("close").disabled = $("text").disabled = $("send").disabled = !isOpen;
}

$("join").onsubmit = (event) => {
  event.preventDefault();
  const name = $("name").value;
  client = new Client(tapped("/socket.io/"));
  show(false, words.connecting);
  client.on("connect", (id) => {
    line($("log"), "happened", id, "connect");
    show(true, words.connected);
    // The function makes it ask for an acknowledgement.
    client.emit("login", name, ({ ok, error }) => ok || line($("log"), "bad", error, "login"));
    $("text").focus();
  });
  client.on("chat message", (text, name) => line($("log"), "other", String(text), fill("{}:", name)));
  client.on("online users", (names) => people($("people"), names));
  client.on("user joined", (name) => line($("log"), "happened", fill(words.joined, name)));
  client.on("user left", (name) => line($("log"), "happened", fill(words.left, name)));
  client.on("connect_error", (error) => line($("log"), "bad", error.message, "connect_error"));
  client.on("disconnect", (why) => {
    line($("log"), "happened", why, "disconnect");
    people($("people"), []);
    client = null;
    show(false, words.over);
  });
};

$("say").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value;
  if (!text || !client) return;
  client.emit("chat message", text);
  line($("log"), "own", text, fill("{}:", $("name").value));
  $("text").value = "";
};

$("close").onclick = () => client?.close();

show(false, words.over);
