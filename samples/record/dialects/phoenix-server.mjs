// As much of Phoenix's socket as its client needs: a room that echoes, and one that refuses.
import { WebSocketServer } from "ws";

const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]) });
wss.on("listening", () => console.log("ready"));
wss.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
        if (isBinary) {
            // A push: kind, four lengths, four strings, the payload.
            const [, j, r, t] = data;
            const [join, ref] = [data.subarray(5, 5 + j), data.subarray(5 + j, 5 + j + r)];
            const topic = data.subarray(5 + j + r, 5 + j + r + t);
            socket.send(Buffer.concat([Buffer.from([1, j, r, t, 2]), join, ref, topic, Buffer.from("ok")]));
            return;
        }
        const [join, ref, topic, event, payload] = JSON.parse(data);
        const say = (...message) => socket.send(JSON.stringify(message));
        const reply = (status, response) => say(join, ref, topic, "phx_reply", { status, response });
        if (event === "phx_join" && topic === "room:secret") return reply("error", { reason: "unauthorized" });
        reply("ok", {});
        if (event === "shout") say(null, null, topic, event, payload);
        if (event === "phx_leave") say(join, ref, topic, "phx_close", {});
    });
});
