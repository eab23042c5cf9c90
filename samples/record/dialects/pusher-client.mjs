// pusher-js subscribes to a public and a private channel, sends a client event, and pings after a second's silence.
import Pusher from "pusher-js";

const pusher = new Pusher("app-key", {
    wsHost: "127.0.0.1", wsPort: Number(process.argv[2]), forceTLS: false, enabledTransports: ["ws"], cluster: "eu", activityTimeout: 1000,
    channelAuthorization: { customHandler: (params, done) => done(null, { auth: "app-key:0123456789abcdef" }) },
});
const news = pusher.subscribe("news");
news.bind("item", (item) => console.log(item));
const room = pusher.subscribe("private-room");
room.bind("pusher:subscription_succeeded", () => room.trigger("client-typing", { name: "Anna" }));
setTimeout(() => pusher.unsubscribe("news"), 2500);
setTimeout(() => pusher.disconnect(), 2800);
setTimeout(() => process.exit(), 3300);
