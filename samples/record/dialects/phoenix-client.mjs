// The npm package phoenix: a heartbeat each second, a room that is joined, text and bytes, a room that refuses.
import WebSocket from "ws";

Object.assign(globalThis, { WebSocket, window: undefined });
const { Socket } = await import("phoenix");
const socket = new Socket(`ws://127.0.0.1:${process.argv[2]}/socket`, {
    transport: WebSocket, heartbeatIntervalMs: 1000, params: { token: "letmein" },
});
socket.connect();
const room = socket.channel("room:lobby", { name: "Anna" });
room.on("shout", (payload) => console.log(payload));
room.join().receive("ok", () => {
    room.push("shout", { text: "hello" });
    room.push("picture", new Uint8Array([0x89, 0x50, 0x4e, 0x47]).buffer);
});
const secret = socket.channel("room:secret", {});
secret.join().receive("error", (reason) => { console.log(reason); secret.leave(); });
setTimeout(() => room.leave(), 1700);
setTimeout(() => socket.disconnect(), 2200);
setTimeout(() => process.exit(), 2700);
