"""What is said right before an end, and who lets go of it: words of farewell, sides that are left open, resets."""

import asyncio
import signal
import textwrap

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from closing import guest
from opening import client_of
from silence import UPGRADE, silent_server
from stage import by_hand, incident

URL = "ws://127.0.0.1:8080/feed"


def text(words):
    return bytes([0x81, len(words)]) + words


@incident
async def http_between_frames(on):
    """gunicorn kills its sync worker, which serves flask-sock, after 4 s: an HTTP answer goes into the WebSocket."""
    (on.here / "app.py").write_text(textwrap.dedent("""
        from flask import Flask
        from flask_sock import Sock
        app = Flask(__name__)
        sock = Sock(app)
        @sock.route('/feed')
        def echo(ws):
            while True:
                ws.send(ws.receive())
    """))
    gunicorn = on.work / "venv/bin/gunicorn"
    await on.start(gunicorn, "--log-level", "critical", "-b", "127.0.0.1:8080", "-t", "4", "--chdir", on.here, "app:app",
                   ready=None)
    await on.listening(8080)
    await asyncio.sleep(1)
    try:
        await guest("guest", every=1.0)
    except ConnectionClosed:
        pass


GORILLA = """
    package main
    import ("fmt"; "net"; "net/http"; "time"; "github.com/gorilla/websocket")
    func main() {
        http.HandleFunc("/feed", func(answer http.ResponseWriter, request *http.Request) {
            upgrader := websocket.Upgrader{}
            conn, err := upgrader.Upgrade(answer, request, nil)
            if err != nil { return }
            defer conn.Close()
            later := func() { conn.SetReadDeadline(time.Now().Add(5 * time.Second)) }
            later()
            conn.SetPongHandler(func(string) error { later(); return nil })
            go func() {
                for {
                    time.Sleep(2 * time.Second)
                    if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) != nil { return }
                }
            }()
            for { if _, _, err := conn.ReadMessage(); err != nil { return } }
        })
        listener, _ := net.Listen("tcp", "127.0.0.1:8080")
        fmt.Println("ready")
        http.Serve(listener, nil)
    }
"""


@incident
async def pings_unanswered_gorilla(on):
    """gorilla pings every 2 s, and its read deadline of 5 s moves with each pong; its client is stopped (SIGSTOP)."""
    await on.go(GORILLA)
    client = await on.node("""
        import WebSocket from 'ws';
        const socket = new WebSocket('ws://127.0.0.1:8080/feed', { perMessageDeflate: false });
        socket.on('error', () => {});
        socket.on('open', () => { socket.send('hello'); console.log('ready'); });
    """)
    await asyncio.sleep(4.7)
    client.send_signal(signal.SIGSTOP)
    await asyncio.sleep(7)


@incident
async def idle_nginx_tls_reset(on):
    """nginx with TLS and proxy_read_timeout 6s says close_notify to two quiet clients, and resets whose answer it gets."""
    on.end_capture()
    key, certificate = on.certificate()
    async with silent_server():
        await on.nginx(f"listen 8080 ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; location / "
                       f"{{ proxy_pass http://127.0.0.1:9000; proxy_read_timeout 6s; {UPGRADE} }}")
        on.capture("tcp port 8080")

        async def quiet(wait):
            await asyncio.sleep(wait)
            async with connect("wss://127.0.0.1:8080/feed", ssl=client_of(on), compression=None, ping_interval=None) as socket:
                try:
                    await socket.send("hello")
                    while True:
                        await socket.recv()
                except ConnectionClosed:
                    pass

        await asyncio.gather(*(quiet(each * 0.7) for each in range(2)))


@incident
async def stomp_no_such_destination(on):
    """A STOMP server answers SEND to a queue that is not there with ERROR, and closes with 1002; STOMP.js."""
    async def broker(socket):
        async for message in socket:
            if message.startswith("CONNECT"):
                await socket.send("CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0")
            if message.startswith("SEND"):
                await socket.send("ERROR\nmessage:no such destination /q/x\n\nthe queue was deleted\0")
                await socket.close(1002)
                return

    async with serve(broker, "127.0.0.1", 8080, subprotocols=["v12.stomp"], compression=None, ping_interval=None):
        client = await on.node("""
            import { Client } from '@stomp/stompjs';
            import WebSocket from 'ws';
            global.WebSocket = WebSocket;
            const client = new Client({ brokerURL: 'ws://127.0.0.1:8080/stomp', reconnectDelay: 0 });
            client.onConnect = () => setTimeout(() => client.publish({ destination: '/q/x', body: 'order 4' }), 400);
            client.onWebSocketClose = () => process.exit();
            client.activate();
        """, ready=None)
        await on.finish(client)


@incident
async def healthy_socketio_kicked(on):
    """A Socket.IO server disconnects one of two clients (disconnect(true)); the other one leaves by itself."""
    await on.node("""
        import { createServer } from 'http';
        import { Server } from 'socket.io';
        const http = createServer(), io = new Server(http);
        io.on('connection', (socket) => {
          socket.on('move', (turn, done) => done(turn));
          socket.on('cheat', () => socket.disconnect(true));
        });
        http.listen(8080, '127.0.0.1', () => console.log('ready'));
    """)
    client = """
        import { io } from 'socket.io-client';
        const socket = io('http://127.0.0.1:8080', { transports: ['websocket'], reconnection: false });
        let turn = 0;
        socket.on('connect', () => setInterval(() => {
          if (++turn == process.argv[1]) socket.emit('cheat');
          else if (turn < 8) socket.emit('move', turn, () => {});
          else socket.disconnect();
        }, 200));
        socket.on('disconnect', () => setTimeout(() => process.exit(), 200));
    """
    clients = [await on.node(client, turn, ready=None) for turn in ("99", "4")]
    await asyncio.gather(*(on.finish(client) for client in clients))


@incident
async def farewell_without_close(on):
    """A server by hand says in a message that its worker is recycled, and ends TCP behind it; two connections."""
    async def handler(reader, writer):
        for _ in range(4):
            await reader.read(4096)
            writer.write(text(b'{"ok":true}'))
        writer.write(text(b'{"type":"bye","detail":"worker recycled"}'))
        writer.close()

    async with await by_hand(handler):
        await asyncio.gather(*(guest(f"guest {each}", every=0.3, wait=each) for each in range(2)), return_exceptions=True)


@incident
async def left_in_close_wait(on):
    """A server by hand ends its side of TCP; the client does not read, and sends five more messages."""
    async def handler(reader, writer):
        await reader.read(4096)
        writer.write(text(b"hello"))
        await asyncio.sleep(0.3)
        writer.write_eof()
        while await reader.read(4096):
            pass
        writer.close()

    async with await by_hand(handler):
        client = await on.python("""
            import os, socket, struct, time
            plain = socket.create_connection(("127.0.0.1", 8080))
            plain.sendall(b"GET /rows HTTP/1.1\\r\\nHost: 127.0.0.1:8080\\r\\nUpgrade: websocket\\r\\n"
                          b"Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
                          b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
            plain.recv(4096)
            for row in range(6):
                text, mask = b"insert %d" % row, os.urandom(4)
                plain.sendall(struct.pack("!BB", 0x81, 0x80 | len(text)) + mask
                              + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text)))
                time.sleep(0.6)
        """, ready=None)
        await on.finish(client)


@incident
async def one_of_two_ends(on):
    """HAProxy before two npm ws servers, one of which ends (SIGTERM) without Close frames; captured at the clients."""
    on.end_capture()
    server = """
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: +process.argv[1] }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
    """
    first, _ = [await on.node(server, port) for port in ("9001", "9002")]
    await on.haproxy("""
        defaults
            mode http
            timeout connect 1s
            timeout client 30s
            timeout server 30s
        listen feed
            bind 127.0.0.1:8080
            balance roundrobin
            server first 127.0.0.1:9001 check inter 200
            server second 127.0.0.1:9002 check inter 200
    """)
    on.capture("tcp port 8080")
    guests = [asyncio.create_task(guest(f"guest {each}", every=0.5, wait=each / 20)) for each in range(6)]
    await asyncio.sleep(1.2)
    first.terminate()
    await asyncio.sleep(0.6)
    on.end_capture()
    for each in guests:
        each.cancel()
