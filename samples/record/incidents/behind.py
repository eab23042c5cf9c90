"""Ends whose cause lies a step behind: what they look like at first is not what happened."""

import asyncio
import base64
import hashlib
import os
import socket
import ssl
import threading
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from silence import UPGRADE
from stage import HANDSHAKE, Network, Raw, incident, run

URL = "ws://127.0.0.1:8080/feed"


async def talk(url=URL, messages=("hello",), wait=0.0, **options):
    """Says something, and reads until the end."""
    try:
        async with connect(url, compression=None, ping_interval=None, **options) as peer:
            for message in messages:
                await asyncio.sleep(wait)
                await peer.send(message)
            while True:
                await peer.recv()
    except (ConnectionClosed, InvalidMessage, InvalidStatus, OSError):
        pass


@incident
async def ended_before_asked(on):
    """npm ws may open 26 files: node takes the connections beyond that, and ends them before they have asked."""
    server = await on.start("sh", "-c", """
        ulimit -n 26; exec node --input-type=module -e "
          import { WebSocketServer } from 'ws';
          new WebSocketServer({ port: 8080, host: '127.0.0.1' }, () => console.log('ready'))
            .on('connection', (peer) => peer.on('message', (data) => peer.send(String(data))));
        "
    """)

    async def prepared():
        """Connects before it has anything to ask, as browsers do."""
        reader, writer = await asyncio.open_connection("127.0.0.1", 8080)
        await asyncio.sleep(0.05)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(HANDSHAKE.format(path="/feed", host="127.0.0.1:8080", key=key, more="").encode())
        return reader, writer

    clients = []
    for _ in range(10):
        clients.append(await prepared())
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    on.end_capture()
    server.kill()


@incident
async def mtu_black_hole_at_once(on):
    """A VPN drops packets above 1,400 bytes without a word: of a message of 6 KB only the last, short one arrives."""
    on.end_capture()
    network = Network(delay=0.01, largest=1414)
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        new WebSocketServer({ port: 8080 }, () => console.log('ready'))
          .on('connection', (peer) => peer.on('message', (data) => peer.send(`${data}`)));
    """, within=network.at("server"))
    on.capture("tcp port 8080", interface="c1", within=network.at("client"))
    client = await on.node("""
        import WebSocket from 'ws';
        const peer = new WebSocket('ws://10.0.0.7:8080/upload', { perMessageDeflate: false });
        peer.on('open', () => {
          for (let turn = 0; turn < 3; turn++) setTimeout(() => peer.send(`{"turn":${turn}}`), turn * 300);
          setTimeout(() => peer.send('x'.repeat(6000)), 1000);
        });
    """, within=network.at("client"), ready=None)
    await asyncio.sleep(8)
    on.end_capture()
    client.kill()
    server.kill()


@incident
async def ping_unanswered_30s(on):
    """A client answers no pings; npm ws, with the heartbeat of its documentation and its 30 s, terminates it."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (peer) => {
          peer.isAlive = true;
          peer.on('pong', () => { peer.isAlive = true; });
          peer.on('message', (data) => peer.send(`${data}`));
        });
        setInterval(() => {
          for (const peer of server.clients) {
            if (!peer.isAlive) { peer.terminate(); continue; }
            peer.isAlive = false;
            peer.ping();
          }
        }, 30000);
    """)
    client = await Raw.open("/feed")
    client.frame(1, b"subscribe")
    try:
        while True:
            await client.next()
    except (asyncio.IncompleteReadError, ConnectionError):
        client.writer.close()
    server.kill()


ping_unanswered_30s.long = True


@incident
async def mqtt_taken_over(on):
    """Two clients of MQTT.js have the client id "gateway"; aedes ends the one whenever the other comes back."""
    server = await on.node("""
        import aedes from 'aedes';
        import { createServer } from 'node:http';
        import { WebSocketServer, createWebSocketStream } from 'ws';
        const broker = aedes();
        const http = createServer();
        new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' }).on('connection', (peer) => {
          const stream = createWebSocketStream(peer);
          stream.on('error', () => {});
          broker.handle(stream);
        });
        http.listen(8080, '127.0.0.1', () => console.log('ready'));
    """)
    client = await on.node("""
        import mqtt from 'mqtt';
        for (let each = 0; each < 2; each++) {
          mqtt.connect('ws://127.0.0.1:8080/mqtt', { clientId: 'gateway', reconnectPeriod: 500 });
        }
        setTimeout(() => process.exit(), 3000);
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def closed_after_error(on):
    """A service on npm ws says in a message that the session has expired, and closes with 1000."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const expired = { type: 'error', error: { code: 'session_expired',
          message: 'Your session hit the maximum duration of 60 minutes.' } };
        new WebSocketServer({ port: 8080 }, () => console.log('ready')).on('connection', (peer) => {
          peer.on('message', (data) => peer.send(`${data}`));
          setTimeout(() => { peer.send(JSON.stringify(expired)); peer.close(1000); }, 1500);
        });
    """)
    await talk("ws://127.0.0.1:8080/v1/realtime", ['{"turn":1}', '{"turn":2}', '{"turn":3}'], 0.3)
    server.kill()


@incident
async def interleaved_writers(on):
    """Two threads of a server in Python write headers and payloads into one socket; npm ws gets a frame in a frame."""
    listener = socket.create_server(("127.0.0.1", 8080))

    def serve():
        peer, _ = listener.accept()
        head = peer.recv(4096).decode()
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
        peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")

        def write(name, between):
            for turn in range(30):
                payload = f'{{"from":"{name}","turn":{turn},"value":"{name * 60}"}}'.encode()
                try:
                    peer.send(bytes([0x81, len(payload)]))
                    time.sleep(between)
                    peer.send(payload)
                except OSError:
                    return
                time.sleep(0.05)

        for name, between in [("a", 0.0005), ("b", 0.003)]:
            threading.Thread(target=write, args=(name, between), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    client = await on.node("""
        import WebSocket from 'ws';
        const peer = new WebSocket('ws://127.0.0.1:8080/feed', { perMessageDeflate: false });
        peer.on('error', () => {});
        peer.on('close', () => setTimeout(() => process.exit(), 100));
    """, ready=None)
    await on.finish(client)
    listener.close()


@incident
async def ended_after_message(on):
    """An application on uvicorn fails on the third message, and nobody catches the exception: FIN, without a Close."""
    server = await on.python("""
        import uvicorn
        async def application(scope, receive, send):
            if scope["type"] != "websocket":
                return
            await receive()
            await send({"type": "websocket.accept"})
            print("ready", flush=True)
            while True:
                event = await receive()
                if event["type"] != "websocket.receive":
                    return
                if event["text"] == '{"user":null}':
                    raise KeyError("user")
                await send({"type": "websocket.send", "text": event["text"]})
        print("ready", flush=True)
        uvicorn.run(application, host="127.0.0.1", port=8080, log_level="critical")
    """)
    await on.listening(8080)
    await talk(messages=['{"user":1}', '{"user":2}', '{"user":null}'], wait=1.0)
    server.kill()


@incident
async def proxy_shut_down(on):
    """nginx is reloaded under three connections, with worker_shutdown_timeout 2s, and captured on both sides."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        new WebSocketServer({ port: 9000 }, () => console.log('ready')).on('connection', (peer) => {
          setInterval(() => peer.send('{"tick":1}'), 500);
        });
    """)
    proxy = await on.nginx(
        f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; proxy_read_timeout 1h; {UPGRADE} }} }} "
        f"server {{ listen 8089; return 204;")
    (on.here / "nginx.conf").write_text(
        "worker_shutdown_timeout 2s; " + (on.here / "nginx.conf").read_text().strip())
    proxy.send_signal(1)
    await asyncio.sleep(0.5)
    clients = []
    for _ in range(3):
        clients.append(asyncio.create_task(talk(URL)))
        await asyncio.sleep(0.3)
    await asyncio.sleep(1)
    proxy.send_signal(1)
    await asyncio.gather(*clients)
    server.kill()


@incident
async def tls_client_certificate_missing(on):
    """A server of node asks for a certificate of the client, which has none; TLS 1.2 says so in clear."""
    key, certificate = on.certificate()
    server = await on.node(f"""
        import {{ createServer }} from 'node:https';
        import {{ readFileSync }} from 'node:fs';
        createServer({{ key: readFileSync('{key}'), cert: readFileSync('{certificate}'), requestCert: true,
          rejectUnauthorized: true, maxVersion: 'TLSv1.2' }}).listen(8080, '127.0.0.1', () => console.log('ready'));
    """)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    await talk("wss://127.0.0.1:8080/feed", ssl=context)
    server.kill()


@incident
async def keepalive_behind_upload(on):
    """A client writes 1.2 MB at once into a way of 300 kbit/s; its pong comes behind that, too late for the server."""
    on.end_capture()
    network = Network()
    run("tc", "-n", "client", "qdisc", "add", "dev", "c1", "root", "tbf", "rate", "300kbit", "burst", "3000",
        "limit", "400000")
    server = await on.python("""
        import asyncio
        from websockets.asyncio.server import serve
        async def count(peer):
            async for message in peer:
                await peer.send('{"stored":%d}' % len(message))
        async def main():
            async with serve(count, "10.0.0.7", 8080, compression=None, ping_interval=2, ping_timeout=2):
                print("ready")
                await asyncio.sleep(60)
        asyncio.run(main())
    """, within=network.at("server"))
    on.capture("tcp port 8080", interface="c1", within=network.at("client"))
    client = await on.node("""
        import WebSocket from 'ws';
        const peer = new WebSocket('ws://10.0.0.7:8080/upload', { perMessageDeflate: false });
        peer.on('error', () => {});
        peer.on('open', () => { for (let each = 0; each < 20; each++) peer.send(Buffer.alloc(60000)); });
        setTimeout(() => process.exit(), 6500);
    """, within=network.at("client"), ready=None)
    await on.finish(client)
    server.kill()


@incident
async def graphql_4406_old_protocol(on):
    """A client offers graphql-ws, the older protocol; the server of graphql-ws takes none and closes with 4406."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        import { useServer } from 'graphql-ws/use/ws';
        import { buildSchema } from 'graphql';
        import { handleProtocols } from 'graphql-ws';
        const schema = buildSchema('type Query { hello: String }');
        const server = new WebSocketServer({ port: 8080, path: '/graphql',
          handleProtocols: (offered) => handleProtocols(offered) }, () => console.log('ready'));
        useServer({ schema, roots: { query: { hello: 'world' } } }, server);
    """)
    client = await Raw.open("/graphql", more="Sec-WebSocket-Protocol: graphql-ws\r\n")
    await client.until_close()
    server.kill()


@incident
async def refused_400_no_route(on):
    """Flask serves HTTP at /feed and no WebSocket: werkzeug answers the handshake, which is in order, with 400."""
    server = await on.python("""
        from flask import Flask
        application = Flask(__name__)
        application.add_url_rule("/feed", view_func=lambda: "<h1>Welcome</h1>")
        print("ready", flush=True)
        application.run("127.0.0.1", 8080)
    """)
    await on.listening(8080)
    await talk()
    server.kill()
