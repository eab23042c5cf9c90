"""Connections that come to nothing before a WebSocket is open: TLS, tunnels, refusals of frameworks."""

import asyncio
import ssl

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import WebSocketException

from closing import echo
from handshakes import URL, try_once
from stage import incident


def context_of(on):
    """A server's context, with a certificate that nobody has signed but itself."""
    key, certificate = on.certificate()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@incident
async def tls_certificate_left(on):
    """Python websockets (asyncio) does not trust a self-signed certificate, and leaves without an alert; 3 times."""
    async with serve(echo, "127.0.0.1", 8080, ssl=context_of(on)):
        for _ in range(3):
            await try_once("wss://127.0.0.1:8080/feed")
            await asyncio.sleep(0.2)


@incident
async def tls_certificate_refused(on):
    """A page in Chromium opens wss:// to a server whose certificate nobody has signed; TLS 1.3 encrypts the alert."""
    page = await on.node("""
        import { createServer } from 'node:http';
        createServer((request, response) => response.writeHead(200, { 'Content-Type': 'text/html' })
          .end("<script>new WebSocket('wss://127.0.0.1:8080/feed')</script>"))
          .listen(8081, '127.0.0.1', () => console.log('ready'));
    """)
    async with serve(echo, "127.0.0.1", 8080, ssl=context_of(on)):
        on.end_capture()
        on.capture("tcp port 8080")
        await on.chromium("http://127.0.0.1:8081/", 8)
    page.kill()


@incident
async def tls_hello_unanswered(on):
    """A server of Python asyncio speaks TLS 1.3 alone; to openssl with TLS 1.2 it says nothing and ends TCP."""
    context = context_of(on)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    async with serve(echo, "127.0.0.1", 8080, ssl=context):
        for _ in range(2):
            await on.run("sh", "-c", "openssl s_client -connect 127.0.0.1:8080 -tls1_2 </dev/null >/dev/null 2>&1")


def client_of(on):
    """A client's context that trusts whatever comes, and logs its keys."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.keylog_filename = on.here / "keys.log"
    return context


@incident
async def client_certificate_missing(on):
    """A Python websockets server wants a client certificate, gets none, and ends TCP without an alert (TLS 1.3)."""
    context = context_of(on)
    context.verify_mode = ssl.CERT_REQUIRED
    async with serve(echo, "127.0.0.1", 8080, ssl=context):
        await try_once("wss://127.0.0.1:8080/feed", ssl=client_of(on))


@incident
async def client_certificate_missing_nginx(on):
    """nginx with ssl_verify_client on, and a client without a certificate: 400, No required SSL certificate was sent."""
    key, certificate = on.certificate()
    await on.nginx(f"listen 8080 ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; "
                   f"ssl_client_certificate {certificate}; ssl_verify_client on;")
    await try_once("wss://127.0.0.1:8080/feed", ssl=client_of(on))


@incident
async def client_certificate_missing_openssl(on):
    """openssl s_server -Verify, and a client without a certificate: the alert certificate_required (TLS 1.3)."""
    key, certificate = on.certificate()
    server = await on.start("openssl", "s_server", "-accept", "8080", "-key", str(key), "-cert", str(certificate),
                            "-Verify", "1", "-quiet", ready=None)
    await on.listening(8080)
    await try_once("wss://127.0.0.1:8080/feed", ssl=client_of(on))
    server.kill()


@incident
async def http2_agreed_by_alpn(on):
    """A client offers h2 and http/1.1 by ALPN, nginx takes h2, and the client sends its handshake in HTTP/1.1."""
    key, certificate = on.certificate()
    await on.nginx(f"listen 8080 ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key};")
    context = client_of(on)
    context.set_alpn_protocols(["h2", "http/1.1"])
    await try_once("wss://127.0.0.1:8080/feed", ssl=context)


@incident
async def tunnel_refused_407(on):
    """tinyproxy wants a password, and Python websockets has none for it."""
    config = on.here / "tinyproxy.conf"
    config.write_text("Port 8080\nListen 127.0.0.1\nTimeout 60\nBasicAuth ann secret\n")
    proxy = await on.start("tinyproxy", "-d", "-c", str(config), ready=None)
    await on.listening(8080)
    for _ in range(2):
        await try_once("wss://chat.example.com/feed", proxy="http://127.0.0.1:8080")
    proxy.kill()


@incident
async def refused_400_cookies(on):
    """A client has 20 KB of cookies, and nginx takes 8 KB of a line."""
    await on.nginx("listen 8080; location / { proxy_pass http://127.0.0.1:9000; }")
    await try_once(additional_headers={"Cookie": "session=" + "x" * 20_000})


@incident
async def refused_403_before_accept(on):
    """An application on uvicorn closes before it accepts, with a code and a reason that never reach the wire: 403."""
    server = await on.python("""
        import uvicorn
        async def app(scope, receive, send):
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 4403, "reason": "not a member"})
        print("ready", flush=True)
        uvicorn.run(app, host="127.0.0.1", port=8080, lifespan="off", log_level="critical")
    """)
    await on.listening(8080)
    await try_once()
    server.kill()


@incident
async def refused_400_subprotocol(on):
    """A client offers v1.orders, and Python websockets has v2.orders only: 400."""
    async with serve(echo, "127.0.0.1", 8080, subprotocols=["v2.orders"]):
        try:
            await connect("ws://127.0.0.1:8080/orders", subprotocols=["v1.orders"])
        except WebSocketException:
            pass


@incident
async def request_timeout_408(on):
    """A client's request never ends, and HAProxy gives it up after timeout http-request 1s."""
    await on.haproxy("""
        defaults
          mode http
          timeout http-request 1s
          timeout connect 1s
          timeout client 5s
          timeout server 5s
        frontend f
          bind 127.0.0.1:8080
          default_backend b
        backend b
          server s 127.0.0.1:9000
    """)
    reader, writer = await asyncio.open_connection("127.0.0.1", 8080)
    writer.write(b"GET /feed HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    await reader.read()
    writer.close()


@incident
async def socketio_python_too_new(on):
    """socket.io-client 2 (EIO=3) at python-socketio 5, which says so in words and without a code."""
    server = await on.python("""
        import socketio, uvicorn
        server = socketio.AsyncServer(async_mode="asgi")
        print("ready", flush=True)
        uvicorn.run(socketio.ASGIApp(server), host="127.0.0.1", port=8080, log_level="critical")
    """)
    await on.listening(8080)
    client = await on.node("""
        import io from 'socket.io-client-2';
        const socket = io('http://127.0.0.1:8080', { transports: ['polling'], reconnection: false });
        socket.on('connect_error', () => process.exit());
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def closed_at_once_1000(on):
    """A Python websockets server closes each connection at once with 1000; the client is back after 0.1 s, 7 times."""
    async def dismiss(socket):
        await socket.close(1000)

    async with serve(dismiss, "127.0.0.1", 8080, compression=None):
        for _ in range(8):
            await try_once()
            await asyncio.sleep(0.1)


@incident
async def keepalive_server_busy(on):
    """A Python websockets server computes for 5 s in its event loop; its client pings after 1 s and waits 1.5 s."""
    server = await on.python("""
        import asyncio, time
        from websockets.asyncio.server import serve
        async def handler(socket):
            async for _ in socket:
                time.sleep(5)
                await socket.send("done")
        async def main():
            async with serve(handler, "127.0.0.1", 8080, compression=None):
                print("ready", flush=True)
                await asyncio.Future()
        asyncio.run(main())
    """)
    try:
        async with connect(URL, compression=None, ping_interval=1, ping_timeout=1.5) as socket:
            await socket.send('{"job": 1}')
            await socket.recv()
    except WebSocketException:
        pass
    await asyncio.sleep(4)
    server.kill()


@incident
async def html_after_101(on):
    """A handler prints a warning of its language, in HTML, into the connection of a Python websockets server."""
    async def careless(socket):
        socket.transport.write(b"<br />\n<b>Warning</b>:  Undefined variable $room in "
                               b"/var/www/chat.php on line 12<br />\n")
        await socket.wait_closed()

    async with serve(careless, "127.0.0.1", 8080, compression=None):
        await try_once()
