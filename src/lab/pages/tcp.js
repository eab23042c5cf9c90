// What is said in the chat over bare TCP, told to this page as an event stream: one room, whichever way one
// comes in.
import { line, panel } from "/lab/common.js";

const log = document.getElementById("log");

/** A line as the raw chat sends it. */
const bytes = (text) =>
  [...new TextEncoder().encode(`${text}\n`)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

// No script opens a TCP connection: the panel is told of those of all who have.
new EventSource(`/poll/events?lines=${panel}`).onmessage = ({ data }) => {
  line(log, data.includes(": ") ? "other" : "happened", data);
  const code = document.createElement("code");
  code.className = "note";
  code.textContent = `  ${bytes(data)}`;
  log.lastElementChild.append(code);
};
