// As much of a registrar and proxy as JsSIP needs: asks for a password, takes it, and answers what is sent.
import { createHash } from "node:crypto";
import { WebSocketServer } from "ws";

const md5 = (text) => createHash("md5").update(text).digest("hex");
const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), handleProtocols: () => "sip" });
wss.on("listening", () => console.log("ready"));
wss.on("connection", (socket) => {
    socket.on("message", (data) => {
        const [head] = data.toString().split("\r\n\r\n");
        const lines = head.split("\r\n");
        const method = lines[0].split(" ")[0];
        if (method === "SIP/2.0") return;
        const all = (name) => lines.filter((line) => line.toLowerCase().startsWith(name + ":"));
        const answer = (status, extra = []) => {
            const to = all("to")[0] + (all("to")[0].includes("tag=") ? "" : ";tag=srv1");
            socket.send(["SIP/2.0 " + status, ...all("via"), all("from")[0], to, all("call-id")[0], all("cseq")[0], ...extra, "Content-Length: 0", "", ""].join("\r\n"));
        };
        const proof = /response="(\w+)"/.exec(all("authorization")[0] ?? "")?.[1];
        if (method === "REGISTER") {
            const uri = lines[0].split(" ")[1];
            const right = md5(`${md5("anna:example.com:secret")}:n1:${md5(`REGISTER:${uri}`)}`);
            if (proof !== right) return answer("401 Unauthorized", ['WWW-Authenticate: Digest realm="example.com", nonce="n1", algorithm=MD5']);
            return answer("200 OK", [all("contact")[0] + ";expires=600"]);
        }
        if (method === "INVITE") {
            answer("100 Trying");
            return answer("486 Busy Here");
        }
        if (method !== "ACK") answer("200 OK");
    });
});
