// As much of Action Cable's server as a client needs: a chat anybody may join, and a room nobody may.
import { WebSocketServer } from "ws";

const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), path: "/cable", handleProtocols: () => "actioncable-v1-json" });
wss.on("listening", () => console.log("ready"));
wss.on("connection", (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    say({ type: "welcome" });
    const beat = setInterval(() => say({ type: "ping", message: Math.floor(Date.now() / 1000) }), 3000);
    socket.on("close", () => clearInterval(beat));
    socket.on("message", (data) => {
        const { command, identifier, data: action } = JSON.parse(data);
        const { channel } = JSON.parse(identifier);
        if (command === "subscribe") say({ identifier, type: channel === "ChatChannel" ? "confirm_subscription" : "reject_subscription" });
        if (command === "message") say({ identifier, message: JSON.parse(action) });
    });
});
