// JsSIP registers with a password, sends a message, asks what the other can, and leaves.
import WebSocket from "ws";

globalThis.WebSocket = WebSocket;
const { default: JsSIP } = await import("jssip");
const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(`ws://127.0.0.1:${process.argv[2]}`)],
    uri: "sip:anna@example.com", password: "secret", register: true,
});
ua.on("registered", () => {
    ua.sendMessage("sip:ben@example.com", "hello 本");
    ua.sendOptions("sip:ben@example.com");
});
ua.start();
setTimeout(() => ua.stop(), 1500);
setTimeout(() => process.exit(), 2500);
