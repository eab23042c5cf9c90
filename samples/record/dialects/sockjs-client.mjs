// sockjs-client: text, JSON, a frame of STOMP, and a second and a half of silence.
import SockJS from "sockjs-client";

const socket = new SockJS(`http://127.0.0.1:${process.argv[2]}/echo`, null, { transports: ["websocket"] });
socket.onopen = () => {
    socket.send("hello");
    socket.send(JSON.stringify({ text: "你好" }));
    socket.send("SEND\ndestination:/queue/a\n\nhi\0");
    setTimeout(() => socket.send("bye"), 1500);
};
socket.onclose = (event) => console.log(event.code, event.reason);
