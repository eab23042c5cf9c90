"""Who gives up, and after what: closed in order and yet not well, answers that do not come, ways that are gone."""

import asyncio
import signal
import struct

from aiohttp import web
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from closing import aiohttp_server, echo, guest
from network import ECHO
from silence import UPGRADE, quiet, silent_server
from stage import Network, Raw, incident

URL = "ws://127.0.0.1:8080/feed"
ECHO_ON_NODE = """
    import { WebSocketServer } from 'ws';
    const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
"""
LISTENER = """
    import asyncio
    from websockets.asyncio.client import connect
    async def main():
        async with connect("ws://127.0.0.1:8080/feed", compression=None, ping_interval=None) as socket:
            await socket.send("hello")
            await socket.recv()
            print("ready")
            await socket.recv()
    asyncio.run(main())
"""


@incident
async def tornado_ping_timeout(on):
    """tornado pings a client every 2 s, which is stopped (SIGSTOP): it closes with 1000, and says why in the reason."""
    await on.python("""
        import asyncio, tornado.web, tornado.websocket
        class Feed(tornado.websocket.WebSocketHandler):
            def on_message(self, message):
                self.write_message(message)
        async def main():
            tornado.web.Application(
                [("/feed", Feed)], websocket_ping_interval=2, websocket_ping_timeout=1).listen(8080, "127.0.0.1")
            print("ready")
            await asyncio.Event().wait()
        asyncio.run(main())
    """)
    client = await on.python(LISTENER)
    await asyncio.sleep(4.6)
    client.send_signal(signal.SIGSTOP)
    await asyncio.sleep(6)


@incident
async def ping_given_up_with_close(on):
    """Python's websocket-client pings a server every 2 s, which is stopped: it closes with 1000, and nobody answers."""
    server = await on.node(ECHO_ON_NODE)
    await on.python("""
        import websocket
        def opened(socket):
            socket.send("hello")
            print("ready")
        websocket.WebSocketApp("ws://127.0.0.1:8080/feed", on_open=opened, on_error=lambda socket, error: None).run_forever(
            ping_interval=2, ping_timeout=1)
    """)
    await asyncio.sleep(4.5)
    server.send_signal(signal.SIGSTOP)
    await asyncio.sleep(6)


@incident
async def close_waited_in_vain(on):
    """A client of Python websockets closes with 1000 and waits 2.5 s for the answer of a server that is stopped."""
    server = await on.node(ECHO_ON_NODE)
    socket = await connect(URL, compression=None, ping_interval=None, close_timeout=2.5)
    await socket.send("hello")
    await socket.recv()
    server.send_signal(signal.SIGSTOP)
    await asyncio.sleep(0.2)
    await socket.close()
    await asyncio.sleep(0.5)


@incident
async def closed_by_both(on):
    """A server closes with 4000 in the moment in which its client closes with 1000: the frames cross each other."""
    async def handler(socket):
        await socket.recv()
        await socket.send("hello")
        await asyncio.sleep(0.3)
        socket.protocol.send_close(4000, "maintenance")
        socket.send_data()
        await asyncio.sleep(0.5)

    async with serve(handler, "127.0.0.1", 8080, compression=None, ping_interval=None):
        raw = await Raw.open("/feed")
        raw.frame(1, b"hello")
        await raw.next()
        # Both have written before either has read.
        await asyncio.sleep(0.299)
        raw.frame(8, struct.pack("!H", 1000))
        await raw.next()
        raw.writer.close()
        await asyncio.sleep(0.3)


@incident
async def close_one_way(on):
    """Only what the client sends is captured: its 1013 answers that of the server, which is overloaded."""
    async def handler(socket):
        async for message in socket:
            if "4" in message:
                await socket.close(1013, "overloaded")
                return
            await socket.send(message)

    on.end_capture()
    async with serve(handler, "127.0.0.1", 8080, compression=None, ping_interval=None):
        on.capture("tcp dst port 8080")
        await guest("reader", every=0.1)


@incident
async def idle_haproxy_server_8s(on):
    """HAProxy with timeout server 8s ends a quiet connection by FIN and RST; captured on both sides."""
    async with silent_server():
        await on.haproxy("""
            defaults
                mode http
                timeout connect 2s
                timeout client 30s
                timeout server 8s
            listen websocket
                bind 127.0.0.1:8080
                server one 127.0.0.1:9000
        """)
        await quiet(URL)


@incident
async def idle_nginx_25s(on):
    """nginx with proxy_read_timeout 25s ends a single quiet connection; captured between the client and it."""
    on.end_capture()
    async with silent_server():
        await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; proxy_read_timeout 25s; {UPGRADE} }}")
        on.capture("tcp port 8080")
        await quiet(URL)


idle_nginx_25s.long = True


@incident
async def slow_consumer_given_up(on):
    """npm ws terminates a client for which more than 3 MB wait; the client does not read."""
    await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => {
          socket.on('error', () => {});
          const ticking = setInterval(() => {
            socket.send('x'.repeat(30000));
            if (socket.bufferedAmount > 3e6) { socket.terminate(); clearInterval(ticking); }
          }, 20);
        });
    """)
    client = await on.python("""
        import asyncio, socket, time
        from websockets.asyncio.client import connect
        async def main():
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            plain.connect(("127.0.0.1", 8080))
            async with connect("ws://127.0.0.1:8080/feed", sock=plain, compression=None, ping_interval=None) as s:
                await s.recv()
                time.sleep(9)
                async for message in s:
                    pass
        try:
            asyncio.run(main())
        except Exception:
            pass
    """, ready=None)
    await on.finish(client)


@incident
async def path_interrupted(on):
    """The wire between two hosts is cut for five seconds; TCP goes on, and the client closes with 1000."""
    wire = Network()
    await on.python(ECHO, within=wire.at("server"))
    on.capture("tcp", "c1", wire.at("client"))
    client = await on.python("""
        import asyncio
        from websockets.asyncio.client import connect
        async def main():
            async with connect("ws://10.0.0.7:8080/feed", compression=None, ping_interval=None) as socket:
                print("ready")
                for turn in range(10):
                    await socket.send('{"turn":%d}' % turn)
                    await socket.recv()
                    await asyncio.sleep(0.3)
        asyncio.run(main())
    """, within=wire.at("client"))
    await asyncio.sleep(1.4)
    wire.dark = True
    await asyncio.sleep(5)
    wire.dark = False
    await on.finish(client)


path_interrupted.captures_itself = True


@incident
async def stomp_heart_beat(on):
    """A STOMP server promises a heart-beat every second and stalls after three; STOMP.js closes two seconds later."""
    async def handler(socket):
        await socket.recv()
        await socket.send("CONNECTED\nversion:1.2\nheart-beat:1000,1000\n\n\0")
        for _ in range(3):
            await asyncio.sleep(1)
            await socket.send("\n")
        await socket.wait_closed()

    async with serve(handler, "127.0.0.1", 8080, subprotocols=["v12.stomp"], compression=None, ping_interval=None):
        client = await on.node("""
            import { Client } from '@stomp/stompjs';
            import { WebSocket } from 'ws';
            global.WebSocket = WebSocket;
            const client = new Client({
              brokerURL: 'ws://127.0.0.1:8080/stomp', heartbeatIncoming: 1000, heartbeatOutgoing: 1000, reconnectDelay: 0 });
            client.onWebSocketClose = () => setTimeout(() => process.exit(), 300);
            client.activate();
        """, ready=None)
        await on.finish(client)


@incident
async def mqtt_ping_unanswered(on):
    """A broker answers two PINGREQ and then none; MQTT.js with a keep alive of 2 s gives it up."""
    answers = {1: b"\x20\x02\0\0", 12: b"\xd0\0"}

    async def handler(socket):
        kept, pings = b"", 0
        async for piece in socket:
            kept += piece
            while len(kept) >= 2 and len(kept) >= 2 + kept[1]:
                packet, kept = kept[:2 + kept[1]], kept[2 + kept[1]:]
                kind = packet[0] >> 4
                pings += kind == 12
                if kind in answers and pings < 3:
                    await socket.send(answers[kind])

    async with serve(handler, "127.0.0.1", 8080, subprotocols=["mqtt"], compression=None, ping_interval=None):
        client = await on.node("""
            import mqtt from 'mqtt';
            const client = mqtt.connect('ws://127.0.0.1:8080/mqtt', { protocolVersion: 4, keepalive: 2, reconnectPeriod: 0 });
            client.on('error', () => {});
            client.on('close', () => setTimeout(() => process.exit(), 300));
        """, ready=None)
        await on.finish(client)


@incident
async def jsonrpc_parse_error(on):
    """A JSON-RPC server cannot read a request, says so without an id, and closes with 1000."""
    import json

    async def handler(socket):
        async for message in socket:
            try:
                await socket.send(json.dumps({"jsonrpc": "2.0", "id": json.loads(message)["id"], "result": 1}))
            except ValueError:
                await socket.send('{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "Parse error"}}')
                return

    async with serve(handler, "127.0.0.1", 8080, compression=None, ping_interval=None):
        async with connect("ws://127.0.0.1:8080/rpc", compression=None, ping_interval=None) as socket:
            for request in ['{"jsonrpc": "2.0", "id": 1, "method": "a"}', '{"jsonrpc": "2.0", "id": 2, "method": "b",}']:
                await socket.send(request)
                await socket.recv()
            try:
                await socket.recv()
            except ConnectionClosed:
                pass


async def refused(url=URL, **options):
    try:
        async with connect(url, **options):
            pass
    except (InvalidStatus, WebSocketException, OSError):
        pass


@incident
async def refused_414_token(on):
    """A client sends a token of 9 KB in the query; nginx takes 8 KB of a line: 414."""
    await on.nginx("listen 8080; location / { return 404; }")
    await refused(f"{URL}?token=" + "e" * 9000)


@incident
async def refused_503_limit_conn(on):
    """nginx with limit_conn 2 lets two clients in, and answers the third and fourth with 503."""
    on.end_capture()
    async with silent_server():
        await on.nginx(
            f"listen 8080; location / {{ limit_conn each 2; proxy_pass http://127.0.0.1:9000; {UPGRADE} }}",
            "limit_conn_zone $binary_remote_addr zone=each:1m;")
        on.capture("tcp port 8080")
        async with connect(URL, compression=None), connect(URL, compression=None):
            await refused()
            await refused()


@incident
async def refused_401_expired(on):
    """An application on aiohttp answers 401 and says in its challenge that the token has expired; three tries."""
    async def handler(request):
        challenge = 'Bearer realm="api.example.com", error="invalid_token", error_description="The token expired"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    await aiohttp_server(handler)
    for _ in range(3):
        await refused(additional_headers={"Authorization": "Bearer abc"})
        await asyncio.sleep(0.8)


@incident
async def left_before_answer(on):
    """A page is left 0.3 s after it has asked for a WebSocket, which the server is slow to answer."""
    async def wait(connection, request):
        await asyncio.sleep(1.5)

    async with serve(echo, "127.0.0.1", 8080, process_request=wait):
        await refused_in_time()
        await asyncio.sleep(1.5)


async def refused_in_time():
    try:
        async with connect(URL, open_timeout=0.3):
            pass
    except TimeoutError:
        pass


@incident
async def server_killed_any(on):
    """npm ws with two clients is killed (SIGKILL); captured on all interfaces (tcpdump -i any)."""
    on.end_capture()
    server = await on.node(ECHO_ON_NODE)
    on.capture("tcp port 8080", "any")
    guests = [asyncio.create_task(guest(f"guest {number}", every=0.2, wait=number / 10)) for number in range(2)]
    await asyncio.sleep(1.4)
    server.kill()
    await asyncio.gather(*guests, return_exceptions=True)
