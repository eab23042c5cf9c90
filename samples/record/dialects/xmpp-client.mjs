// @xmpp/client signs in at Prosody, pings it, asks for something it does not have, and writes to itself.
import WebSocket from "ws";

globalThis.WebSocket = WebSocket;
const { client, xml } = await import("@xmpp/client");

const xmpp = client({ service: "ws://127.0.0.1:8085/xmpp-websocket", domain: "localhost", username: "anna", password: "secret" });
xmpp.on("error", (error) => console.error(error.message));
xmpp.on("online", async (address) => {
    await xmpp.send(xml("presence"));
    const ask = (child) => xmpp.iqCaller.request(xml("iq", { type: "get", to: "localhost" }, child)).catch((error) => console.log(error.condition));
    await ask(xml("ping", "urn:xmpp:ping"));
    await ask(xml("query", "urn:example:nothing"));
    await xmpp.send(xml("message", { type: "chat", to: address }, xml("body", {}, "hello 你好")));
    setTimeout(() => xmpp.stop(), 500);
});
await xmpp.start();
