// An echo server on npm sockjs, with a heartbeat every second; it says goodbye when it is told to.
import http from "node:http";
import sockjs from "sockjs";

const echo = sockjs.createServer({ heartbeat_delay: 1000, log: () => {} });
echo.on("connection", (conn) => {
    conn.on("data", (message) => {
        if (message === "bye") conn.close(3000, "Go away!");
        else conn.write(message);
    });
});
const server = http.createServer();
echo.installHandlers(server, { prefix: "/echo" });
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
