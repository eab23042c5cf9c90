// A Socket.IO 5 client on Engine.IO 4, written out to be read: polling first, then the move to a WebSocket.
"use strict";

const SEPARATOR = "\x1e"; // between the packets of one HTTP body

export class Client {
  #url; #listeners = new Map(); #acks = new Map(); #nextAck = 0;
  #sid = null; #socket = null; #timer = null; #over = false; #patience = 45000;

  constructor(url) {
    this.#url = url;
    this.#open();
  }

  /** Calls `listener` with the arguments of every event of this name; also "connect" and "disconnect". */
  on(name, listener) {
    this.#listeners.set(name, listener);
  }

  /** Sends an event. A function as the last argument is called with the other side's acknowledgement. */
  emit(name, ...args) {
    let id = "";
    if (typeof args.at(-1) === "function") {
      id = String(this.#nextAck++);
      this.#acks.set(id, args.pop());
    }
    // 4 is Engine.IO's message, 2 a Socket.IO event; the id asks for an acknowledgement.
    this.#send(`42${id}${JSON.stringify([name, ...args])}`);
  }

  /** Leaves: Socket.IO's DISCONNECT, then Engine.IO's close. */
  close() {
    this.#send("41");
    this.#send("1");
    this.#end("io client disconnect");
    this.#socket?.close();
  }

  // ---- Engine.IO: a session over HTTP, then over a WebSocket ----

  #address(transport, scheme) {
    const url = new URL(this.#url);
    url.protocol = scheme ?? url.protocol;
    url.searchParams.set("EIO", "4");
    url.searchParams.set("transport", transport);
    if (this.#sid) url.searchParams.set("sid", this.#sid);
    return url;
  }

  async #open() {
    try {
      const body = await (await fetch(this.#address("polling"))).text();
      // 0{"sid":"…","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
      const session = JSON.parse(body.slice(1));
      this.#sid = session.sid;
      this.#patience = session.pingInterval + session.pingTimeout;
      this.#alive();
      await this.#post("40"); // Socket.IO's CONNECT to the namespace /
      const polls = this.#poll();
      if (session.upgrades.includes("websocket")) this.#upgrade(polls);
    } catch (error) {
      this.#end(String(error));
    }
  }

  /** Asks, and asks again as soon as there is an answer, until a WebSocket has taken over. */
  async #poll() {
    while (!this.#over && !this.#socket?.ready) {
      const answer = await fetch(this.#address("polling"));
      if (!answer.ok) return this.#end(`polling was answered ${answer.status}`);
      const body = await answer.text();
      for (const packet of body.split(SEPARATOR)) this.#packet(packet);
    }
  }

  #post(packets) {
    return fetch(this.#address("polling"), { method: "POST", body: packets });
  }

  /** 2probe → 3probe → 5: the session moves, and no packet is lost on the way. */
  #upgrade(polls) {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(this.#address("websocket", scheme));
    socket.onopen = () => socket.send("2probe");
    socket.onmessage = async ({ data }) => {
      if (data !== "3probe") return this.#packet(data);
      this.#socket = socket;
      socket.ready = true; // polls end: the server answers the last one with 6, a noop
      await polls;
      socket.send("5");
      for (const packet of socket.waiting ?? []) socket.send(packet);
      socket.moved = true;
    };
    socket.onclose = ({ code, reason }) => socket.ready && this.#end(`websocket closed: ${code} ${reason}`);
  }

  #send(packet) {
    if (this.#over) return;
    if (this.#socket?.moved) this.#socket.send(packet);
    else if (this.#socket) (this.#socket.waiting ??= []).push(packet);
    else this.#post(packet);
  }

  #packet(packet) {
    const [type, rest] = [packet[0], packet.slice(1)];
    if (type === "2") {
      this.#alive();
      this.#send("3"); // pong: the client answers, the server asks
    } else if (type === "4") this.#message(rest);
    else if (type === "1") this.#end("transport close");
  }

  /** The server pings every pingInterval; when it does not, the connection is dead though TCP says nothing. */
  #alive() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end("ping timeout"), this.#patience);
  }

  // ---- Socket.IO: events and acknowledgements ----

  #message(packet) {
    const [type, rest] = [packet[0], packet.slice(1)];
    const [, id, json] = /^(\d*)(.*)$/s.exec(rest);
    if (type === "0") this.#tell("connect", JSON.parse(json || "{}").sid);
    else if (type === "1") this.#end("io server disconnect");
    else if (type === "2") {
      const [name, ...args] = JSON.parse(json);
      if (id) args.push((...answer) => this.#send(`43${id}${JSON.stringify(answer)}`));
      this.#tell(name, ...args);
    } else if (type === "3") {
      this.#acks.get(id)?.(...JSON.parse(json));
      this.#acks.delete(id);
    } else if (type === "4") this.#tell("connect_error", JSON.parse(json));
  }

  #tell(name, ...args) {
    this.#listeners.get(name)?.(...args);
  }

  #end(why) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#tell("disconnect", why);
  }
}
