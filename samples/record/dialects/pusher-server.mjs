// As much of a Pusher server as its client needs: one public channel, and a private one that is signed or not.
import { WebSocketServer } from "ws";

const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]) });
wss.on("listening", () => console.log("ready"));
wss.on("connection", (socket) => {
    const say = (event, data, channel) => socket.send(JSON.stringify({ event, data: JSON.stringify(data), channel }));
    say("pusher:connection_established", { socket_id: "123.456", activity_timeout: 1 });
    socket.on("message", (text) => {
        const { event, data, channel } = JSON.parse(text);
        if (event === "pusher:ping") socket.send(JSON.stringify({ event: "pusher:pong", data: {} }));
        if (event === "pusher:subscribe") {
            say("pusher_internal:subscription_succeeded", {}, data.channel);
            if (data.channel === "news") say("item", { title: "今日" }, "news");
        }
        if (event.startsWith("client-")) say("seen", {}, channel);
    });
});
