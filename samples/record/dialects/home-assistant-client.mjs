// home-assistant-js-websocket signs in, reads states, hears an event, pings, and asks for what is not there.
import WebSocket from "ws";

globalThis.WebSocket = WebSocket;
const { createConnection, createLongLivedTokenAuth, getStates } = await import("home-assistant-js-websocket");
const auth = createLongLivedTokenAuth(`http://127.0.0.1:${process.argv[2]}`, "long-lived-token");
const connection = await createConnection({ auth });
console.log(await getStates(connection));
const leave = await connection.subscribeEvents((event) => console.log(event.event_type), "state_changed");
await connection.ping();
await connection.sendMessagePromise({ type: "make_coffee" }).catch((error) => console.log(error.code));
await leave();
connection.close();
setTimeout(() => process.exit(), 300);
