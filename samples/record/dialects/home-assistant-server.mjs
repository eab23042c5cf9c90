// As much of Home Assistant as its client needs: a token, some states, one event, one command it does not know.
import { WebSocketServer } from "ws";

const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), path: "/api/websocket" });
wss.on("listening", () => console.log("ready"));
wss.on("connection", (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    say({ type: "auth_required", ha_version: "2026.11.0" });
    socket.on("message", (text) => {
        const message = JSON.parse(text);
        const { id, type } = message;
        if (type === "auth") return say(message.access_token === "long-lived-token" ? { type: "auth_ok", ha_version: "2026.11.0" } : { type: "auth_invalid", message: "Invalid access token or password" });
        if (type === "ping") return say({ id, type: "pong" });
        const done = (result) => say({ id, type: "result", success: true, result });
        if (type === "supported_features") return done(null);
        if (type === "get_states") return done([{ entity_id: "light.kitchen", state: "on" }]);
        if (type === "subscribe_events") {
            done(null);
            return say({ id, type: "event", event: { event_type: "state_changed", data: { entity_id: "light.kitchen" } } });
        }
        if (type === "unsubscribe_events") return done(null);
        say({ id, type: "result", success: false, error: { code: "unknown_command", message: "Unknown command." } });
    });
});
