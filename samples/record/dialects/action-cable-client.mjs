// @rails/actioncable joins a chat, is refused another channel, speaks, and leaves after a ping.
import WebSocket from "ws";

Object.assign(globalThis, { self: globalThis, WebSocket, document: { visibilityState: "visible" } });
Object.assign(globalThis, { addEventListener() {}, removeEventListener() {} });
const { adapters, createConsumer } = await import("@rails/actioncable");
adapters.WebSocket = WebSocket;
adapters.logger = console;
const consumer = createConsumer(`ws://127.0.0.1:${process.argv[2]}/cable`);
const chat = consumer.subscriptions.create(
    { channel: "ChatChannel", room: "kitchen" },
    { connected: () => chat.perform("speak", { text: "hello" }), received: (message) => console.log(message) },
);
consumer.subscriptions.create("AdminChannel", { rejected: () => console.log("rejected") });
setTimeout(() => chat.unsubscribe(), 3500);
setTimeout(() => consumer.disconnect(), 4000);
setTimeout(() => process.exit(), 4500);
