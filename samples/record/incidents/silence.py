"""Connections that end because nothing was said, or because nobody answered."""

import asyncio
import json
import os
import signal

import aiohttp
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from closing import echo
from stage import Raw, incident

URL = "ws://127.0.0.1:8080/feed"
UPGRADE = """
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
"""


async def quiet(url, wait=0.0, messages=3):
    """Says a little, then nothing, until somebody ends it."""
    await asyncio.sleep(wait)
    async with connect(url, compression=None, ping_interval=None, ping_timeout=None) as socket:
        try:
            for turn in range(messages):
                await socket.send(f"message {turn}")
                await socket.recv()
                await asyncio.sleep(0.2)
            await socket.recv()
        except ConnectionClosed:
            pass


def silent_server(port=9000):
    return serve(echo, "127.0.0.1", port, compression=None, ping_interval=None, ping_timeout=None)


@incident
async def idle_nginx_5s(on):
    """nginx with proxy_read_timeout 5s before Python websockets; three quiet connections, no pings."""
    on.end_capture()
    async with silent_server():
        await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; proxy_read_timeout 5s; {UPGRADE} }}")
        on.capture("tcp port 8080")
        await asyncio.gather(*(quiet("ws://127.0.0.1:8080/feed", wait=each * 0.7) for each in range(3)))


@incident
async def idle_nginx_60s(on):
    """nginx with its default proxy_read_timeout of 60 s before Python websockets, captured on both sides."""
    async with silent_server():
        await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; {UPGRADE} }}")
        await quiet("ws://127.0.0.1:8080/feed")


idle_nginx_60s.long = True


@incident
async def idle_haproxy_tunnel(on):
    """HAProxy with timeout tunnel 10s before Python websockets; two quiet connections."""
    on.end_capture()
    async with silent_server():
        await on.haproxy("""
            defaults
                mode http
                timeout connect 5s
                timeout client 50s
                timeout server 50s
                timeout tunnel 10s
            listen websocket
                bind 127.0.0.1:8080
                server one 127.0.0.1:9000
        """)
        on.capture("tcp port 8080")
        await asyncio.gather(*(quiet("ws://127.0.0.1:8080/feed", wait=each * 1.1) for each in range(2)))


idle_haproxy_tunnel.long = True


@incident
async def idle_haproxy_50s(on):
    """HAProxy with the documentation's timeout client 50s and no timeout tunnel."""
    on.end_capture()
    async with silent_server():
        await on.haproxy("""
            defaults
                mode http
                timeout connect 5s
                timeout client 50s
                timeout server 50s
            listen websocket
                bind 127.0.0.1:8080
                server one 127.0.0.1:9000
        """)
        on.capture("tcp port 8080")
        await quiet("ws://127.0.0.1:8080/feed")


idle_haproxy_50s.long = True


@incident
async def keepalive_ping_timeout(on):
    """A client is stopped (SIGSTOP); Python websockets gets no pong and closes with 1011."""
    async with serve(echo, "127.0.0.1", 8080, compression=None, ping_interval=1, ping_timeout=2, close_timeout=1):
        client = await on.node("""
            import WebSocket from 'ws';
            const socket = new WebSocket('ws://127.0.0.1:8080/feed', { perMessageDeflate: false });
            socket.on('open', () => { socket.send('hello'); });
            socket.on('message', () => console.log('ready'));
            socket.on('error', () => {});
        """)
        await asyncio.sleep(1.5)
        client.send_signal(signal.SIGSTOP)
        await asyncio.sleep(5.5)
        client.kill()


@incident
async def ping_unanswered_npm_ws(on):
    """A client ignores pings; npm ws, with the heartbeat of its documentation, terminates it."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => {
          socket.isAlive = true;
          socket.on('pong', () => { socket.isAlive = true; });
          socket.on('message', (data) => socket.send(`${data}`));
          socket.on('error', () => {});
        });
        setInterval(() => {
          for (const socket of server.clients) {
            if (!socket.isAlive) return socket.terminate();
            socket.isAlive = false;
            socket.ping();
          }
        }, 2000);
    """)
    client = await Raw.open("/feed")
    client.frame(1, b"hello")
    await client.until_close()
    server.kill()


@incident
async def ping_answered_late(on):
    """A client computes for four seconds (a blocked event loop) before it answers the server's ping."""
    server = await on.python("""
        import asyncio
        from websockets.asyncio.server import serve
        async def handler(socket):
            async for message in socket:
                await socket.send(message)
        async def main():
            async with serve(handler, "127.0.0.1", 8080, compression=None, ping_interval=1, ping_timeout=20):
                print("ready")
                await asyncio.Future()
        asyncio.run(main())
    """)
    client = await on.python("""
        import asyncio, time
        from websockets.asyncio.client import connect
        async def main():
            async with connect("ws://127.0.0.1:8080/feed", compression=None, ping_interval=None) as socket:
                await socket.send("hello")
                await socket.recv()
                await asyncio.sleep(1.5)
                time.sleep(4.2)
                await asyncio.sleep(0.3)
                await socket.send("back")
                await socket.recv()
        asyncio.run(main())
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def pong_other_payload(on):
    """A client answers each ping with an empty pong; Python websockets takes none for an answer."""
    async with serve(echo, "127.0.0.1", 8080, compression=None, ping_interval=1, ping_timeout=2):
        client = await Raw.open("/feed")
        client.frame(1, b"hello")
        while True:
            opcode, payload = await client.next()
            if opcode == 9:
                client.frame(10, b"")
            if opcode == 8:
                client.frame(8, payload[:2])
                break
        await client.reader.read()
        client.writer.close()


@incident
async def app_ping_unanswered(on):
    """A client's own {"type":"ping"} is answered until the server's handler hangs; after three the client
    gives up with 4000."""
    async def handler(socket):
        count = 0
        async for message in socket:
            count += 1
            if count > 3:
                await asyncio.sleep(8)
            await socket.send(json.dumps({"type": "pong", "t": json.loads(message)["t"]}))

    async with serve(handler, "127.0.0.1", 8080, compression=None, ping_interval=None):
        client = await on.node("""
            import WebSocket from 'ws';
            const socket = new WebSocket('ws://127.0.0.1:8080/app', { perMessageDeflate: false });
            let count = 0, missing = 0;
            socket.on('message', () => { missing = 0; });
            socket.on('open', () => setInterval(() => {
              if (missing >= 3) { socket.close(4000, 'no pong from server'); setTimeout(() => process.exit(), 500); return; }
              missing++;
              socket.send(JSON.stringify({ type: 'ping', t: ++count }));
            }, 800));
        """, ready=None)
        await on.finish(client)


@incident
async def server_process_stopped(on):
    """A server is stopped (SIGSTOP): TCP still takes what is sent, nobody answers; the client's own ping
    times out."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
    """)
    async with connect("ws://127.0.0.1:8080/feed", compression=None, ping_interval=2, ping_timeout=2,
                       close_timeout=1) as socket:
        for turn in range(3):
            await socket.send(f"order {turn}")
            await socket.recv()
        server.send_signal(signal.SIGSTOP)
        await socket.send("order 3")
        try:
            await socket.recv()
        except ConnectionClosed:
            pass
    server.kill()


@incident
async def idle_nginx_7s_cut(on):
    """nginx with proxy_read_timeout 7s; of each packet only the first 96 bytes are captured."""
    on.end_capture()
    async with silent_server():
        await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; proxy_read_timeout 7s; {UPGRADE} }}")
        on.capture("tcp port 8080", snaplen=96)
        await asyncio.gather(*(quiet("ws://127.0.0.1:8080/live", wait=each * 0.7) for each in range(3)))


@incident
async def idle_haproxy_both_sides(on):
    """HAProxy with timeout tunnel 5s, captured on both sides: it ends the client's side by FIN, the server's by RST."""
    async with silent_server():
        await on.haproxy("""
            defaults
                mode http
                timeout connect 5s
                timeout client 50s
                timeout server 50s
                timeout tunnel 5s
            listen websocket
                bind 127.0.0.1:8080
                server one 127.0.0.1:9000
        """)
        await asyncio.gather(*(quiet("ws://127.0.0.1:8080/events", wait=each * 0.7) for each in range(2)))


@incident
async def ping_unanswered_silent_client(on):
    """npm ws pings each client and terminates those without a pong; one never sends anything."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => {
          socket.isAlive = true;
          socket.on('pong', () => { socket.isAlive = true; });
          const tick = setInterval(() => socket.send('tick'), 700);
          socket.on('close', () => clearInterval(tick));
        });
        setInterval(() => {
          for (const socket of server.clients) {
            if (!socket.isAlive) { socket.terminate(); continue; }
            socket.isAlive = false;
            socket.ping();
          }
        }, 3000);
    """)
    client = await Raw.open("/legacy")
    await client.reader.read(1)
    while await client.reader.read(4096):
        pass
    client.writer.close()
    server.kill()


@incident
async def keepalive_no_pong_but_data(on):
    """A server by hand answers no ping and goes on sending; the client, Python websockets, closes with 1011."""
    server = await on.python("""
        import base64, hashlib, socket, time
        listener = socket.create_server(("127.0.0.1", 8080))
        print("ready")
        peer, _ = listener.accept()
        head = b""
        while b"\\r\\n\\r\\n" not in head:
            head += peer.recv(4096)
        key = [line.split(b":")[1].strip() for line in head.split(b"\\r\\n") if b"-Key" in line][0]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        peer.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\\r\\n\\r\\n")
        try:
            while True:
                peer.sendall(b"\\x81\\x04tick")
                time.sleep(0.6)
        except OSError:
            pass
    """)
    async with connect("ws://127.0.0.1:8080/ticks", compression=None, ping_interval=2, ping_timeout=3,
                       close_timeout=1) as socket:
        try:
            async for _ in socket:
                pass
        except ConnectionClosed:
            pass
    await on.finish(server)


@incident
async def aiohttp_heartbeat(on):
    """A client on aiohttp with heartbeat=2; the server is stopped (SIGSTOP) after three of its pings. aiohttp waits
    half of the heartbeat for a pong, then it ends TCP."""
    server = await on.python("""
        import asyncio
        from websockets.asyncio.server import serve
        async def feed(socket):
            await socket.send('hello')
            await socket.wait_closed()
        async def main():
            async with serve(feed, '127.0.0.1', 8080, ping_interval=None, compression=None):
                print('ready')
                await asyncio.get_running_loop().create_future()
        asyncio.run(main())
    """)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect("ws://127.0.0.1:8080/feed", heartbeat=2) as socket:
            await socket.receive()
            asyncio.get_running_loop().call_later(7, server.send_signal, signal.SIGSTOP)
            await socket.receive()
    server.kill()


@incident
async def aiohttp_server_heartbeat(on):
    """A server on aiohttp with heartbeat=2, and two clients that are stopped (SIGSTOP) at different times."""
    async def feed(request):
        socket = web.WebSocketResponse(heartbeat=2)
        await socket.prepare(request)
        await socket.send_str("hello")
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/feed", feed)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 8080).start()
    clients = [await on.python("""
        import asyncio
        from websockets.asyncio.client import connect
        async def main():
            async with connect('ws://127.0.0.1:8080/feed', ping_interval=None, compression=None) as socket:
                await socket.recv()
                print('ready')
                await socket.wait_closed()
        asyncio.run(main())
    """) for _ in range(2)]
    await asyncio.sleep(6.5)
    clients[0].send_signal(signal.SIGSTOP)
    await asyncio.sleep(3.1)
    clients[1].send_signal(signal.SIGSTOP)
    await asyncio.sleep(4)
    for client in clients:
        client.kill()
    await runner.cleanup()


JETTY = """
    import org.eclipse.jetty.server.*;
    import org.eclipse.jetty.websocket.api.*;
    import org.eclipse.jetty.websocket.api.annotations.*;
    import org.eclipse.jetty.websocket.server.WebSocketHandler;
    import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;
    public class Idle {
        @WebSocket public static class Echo {
            @OnWebSocketMessage public void text(Session session, String message) throws Exception {
                session.getRemote().sendString(message);
            }
        }
        public static void main(String[] arguments) throws Exception {
            Server server = new Server(new java.net.InetSocketAddress("127.0.0.1", 8080));
            server.setHandler(new WebSocketHandler() {
                @Override public void configure(WebSocketServletFactory factory) {
                    factory.getPolicy().setIdleTimeout(4000);
                    factory.register(Echo.class);
                }
            });
            server.start();
            System.out.println("ready");
            server.join();
        }
    }
"""


@incident
async def idle_jetty_4s(on):
    """Jetty 9 with an idle timeout of 4 s; three quiet clients, which it closes with 1001 and a reason."""
    (on.here / "Idle.java").write_text(JETTY)
    path = "/usr/share/java/*"
    await on.run("javac", "-cp", path, "-d", str(on.here), str(on.here / "Idle.java"))
    server = await on.start("java", "-cp", f"{on.here}:{path}", "Idle")
    await asyncio.gather(*(quiet(URL, wait=each * 0.9, messages=1) for each in range(3)))
    server.kill()


GORILLA = """
    package main
    import ("fmt"; "net"; "net/http"; "time"; "github.com/gorilla/websocket")
    func main() {
        http.HandleFunc("/feed", func(answer http.ResponseWriter, request *http.Request) {
            upgrader := websocket.Upgrader{}
            socket, err := upgrader.Upgrade(answer, request, nil)
            if err != nil { return }
            defer socket.Close()
            socket.SetReadDeadline(time.Now().Add(3 * time.Second))
            for {
                kind, message, err := socket.ReadMessage()
                if err != nil { return }
                socket.WriteMessage(kind, message)
            }
        })
        listener, _ := net.Listen("tcp", "127.0.0.1:8080")
        fmt.Println("ready")
        http.Serve(listener, nil)
    }
"""


@incident
async def deadline_gorilla_3s(on):
    """gorilla/websocket with SetReadDeadline of 3 s, once; four clients that talk all the time."""
    server = await on.go(GORILLA)

    async def talk(wait):
        await asyncio.sleep(wait)
        async with connect(URL, compression=None, ping_interval=None) as socket:
            try:
                while True:
                    await socket.send("tick")
                    await socket.recv()
                    await asyncio.sleep(0.4)
            except ConnectionClosed:
                pass

    await asyncio.gather(*(talk(each * 0.7) for each in range(4)))
    server.kill()
