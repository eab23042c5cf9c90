"""Handshakes that fail."""

import asyncio
import json
import ssl

import aiohttp
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, WebSocketException

from closing import aiohttp_server, echo
from silence import UPGRADE
from stage import HANDSHAKE, incident

URL = "ws://127.0.0.1:8080/feed"

NODE_CLIENT = """
    import WebSocket from 'ws';
    const socket = new WebSocket(process.argv[1], process.argv[2] ? [process.argv[2]] : [],
      { rejectUnauthorized: false, perMessageDeflate: false, handshakeTimeout: 4000, origin: process.argv[3] });
    socket.on('error', (error) => console.log(error.message));
    socket.on('open', () => setTimeout(() => socket.close(1000), 200));
    socket.on('close', () => process.exit());
"""

NODE_SERVER = """
    import { WebSocketServer } from 'ws';
    const server = new WebSocketServer({ port: Number(process.argv[1] ?? 8080), perMessageDeflate: true },
      () => console.log('ready'));
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
"""


async def try_once(url=URL, **options):
    """A client of Python websockets; what it meets is no failure here."""
    try:
        async with connect(url, compression=None, **options) as socket:
            await socket.send("hello")
            await asyncio.wait_for(socket.recv(), 2)
    except (WebSocketException, OSError, EOFError, TimeoutError):
        pass


async def node_client(on, url=URL, protocol="", origin=None):
    arguments = [url, protocol] + ([origin] if origin else [])
    await on.finish(await on.node(NODE_CLIENT, *arguments, ready=None))


async def tcp_server(handler, port=8080):
    return await asyncio.start_server(handler, "127.0.0.1", port)


async def hang(reader, writer):
    """Reads, and never answers."""
    while await reader.read(4096):
        pass
    writer.close()


@incident
async def unanswered(on):
    """A server takes the request and never answers; Python websockets gives up after open_timeout=5."""
    await tcp_server(hang)
    await try_once(open_timeout=5)


@incident
async def unanswered_open_timeout(on):
    """A server takes the request and never answers; Python websockets gives up after open_timeout=1.5."""
    await tcp_server(hang)
    await try_once(open_timeout=1.5)


@incident
async def answered_by_closing_444(on):
    """nginx has `return 444` for this host: it closes without a word. npm ws tries twice."""
    await on.nginx("listen 8080; return 444;")
    for _ in range(2):
        await node_client(on)


@incident
async def refused_port(on):
    """Nothing listens: RST answers each SYN. Python websockets tries three times, ever later."""
    for wait in [0, 0.3, 0.6]:
        await asyncio.sleep(wait)
        await try_once()


@incident
async def wss_to_plain_port(on):
    """A client speaks TLS (wss://) to the plain port of an npm ws server."""
    server = await on.node(NODE_SERVER)
    await node_client(on, "wss://127.0.0.1:8080/feed")
    server.kill()


@incident
async def wss_to_plain_nginx(on):
    """A client speaks TLS (wss://) to nginx on a port without ssl, which answers 400 in plain text."""
    await on.nginx("listen 8080; location / { return 404; }")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    await try_once("wss://127.0.0.1:8080/feed", ssl=context)


@incident
async def plain_to_tls_nginx(on):
    """A client speaks ws:// to nginx's TLS port: 400, "The plain HTTP request was sent to HTTPS port"."""
    key, certificate = on.certificate()
    await on.nginx(f"listen 8080 ssl; ssl_certificate {certificate}; ssl_certificate_key {key};")
    await try_once()


@incident
async def plain_to_tls_openssl(on):
    """A client speaks ws:// to a TLS server (openssl s_server), which answers with an alert and closes."""
    key, certificate = on.certificate()
    server = await on.start("openssl", "s_server", "-accept", "8080", "-key", str(key), "-cert", str(certificate),
                            "-quiet", ready=None)
    await on.listening(8080)
    await node_client(on)
    server.kill()


@incident
async def http2_only_node(on):
    """A WebSocket client at a server of node's http2, which speaks HTTP/2 in plain text and nothing else."""
    server = await on.node("""
        import { createServer } from 'node:http2';
        const server = createServer((request, response) => response.end('hello'));
        server.on('sessionError', () => {});
        server.listen(8080, '127.0.0.1', () => console.log('ready'));
    """)
    await node_client(on)
    server.kill()


@incident
async def proxy_protocol_unexpected(on):
    """HAProxy with send-proxy before an npm ws server that does not expect the header: 400."""
    server = await on.node(NODE_SERVER, "9000")
    await on.haproxy("""
        defaults
            mode http
            timeout connect 5s
            timeout client 50s
            timeout server 50s
        listen websocket
            bind 127.0.0.1:8080
            server one 127.0.0.1:9000 send-proxy
    """)
    await node_client(on)
    server.kill()


@incident
async def redirect_301_https(on):
    """nginx sends everything to https:// with 301; npm ws does not follow."""
    await on.nginx("listen 8080; server_name localhost; return 301 https://chat.example.com$request_uri;")
    await node_client(on)


@incident
async def redirect_302_login(on):
    """aiohttp sends who is not signed in to /login with 302; npm ws does not follow."""
    async def handler(request):
        raise web.HTTPFound("/login?next=/feed")

    await aiohttp_server(handler)
    await node_client(on)


@incident
async def refused_401_basic(on):
    """nginx with auth_basic: 401 with WWW-Authenticate."""
    users = on.here / "users"
    users.write_text("anna:$apr1$x$0vHPVW1kT6c0a4oUGrXbl1\n")
    await on.nginx(f'listen 8080; location / {{ auth_basic "internal"; auth_basic_user_file {users}; }}')
    await try_once()


@incident
async def refused_403_origin(on):
    """Python websockets allows one origin, and a page of another asks: 403."""
    async with serve(echo, "127.0.0.1", 8080, origins=["https://app.example.com"]):
        await node_client(on, origin="https://staging.example.com")


@incident
async def refused_404_path(on):
    """The application on aiohttp has /ws, and the client asks for /wss: 404."""
    async def handler(request):
        raise web.HTTPNotFound()

    await aiohttp_server(handler, path="/ws")
    await node_client(on, "ws://127.0.0.1:8080/wss")


@incident
async def refused_426_curl(on):
    """curl asks a Python websockets server for a page: 426."""
    async with serve(echo, "127.0.0.1", 8080):
        await on.run("curl", "-s", "http://127.0.0.1:8080/feed")


@incident
async def refused_429_rate(on):
    """An application on aiohttp answers 429 with Retry-After to the third connection of a minute."""
    count = 0

    async def handler(request):
        nonlocal count
        count += 1
        if count > 2:
            raise web.HTTPTooManyRequests(text="Too many connections from 127.0.0.1, limit is 2 a minute\n",
                                          headers={"Retry-After": "30"})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    await aiohttp_server(handler)
    for _ in range(3):
        await try_once()


@incident
async def refused_502_nginx(on):
    """nginx in front of an application that is down: 502."""
    await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; {UPGRADE} }}")
    await node_client(on)


@incident
async def refused_503_haproxy(on):
    """HAProxy has no server left: 503."""
    await on.haproxy("""
        defaults
            mode http
            timeout connect 5s
            timeout client 50s
            timeout server 50s
        listen websocket
            bind 127.0.0.1:8080
            server one 127.0.0.1:9000 check inter 100
    """)
    await asyncio.sleep(1)
    on.end_capture()
    on.capture("tcp port 8080")
    await node_client(on)


@incident
async def refused_503_gzip(on):
    """A maintenance page of aiohttp, in gzip because its own client takes that."""
    async def closed(request):
        page = "<html><head><title>Down for maintenance until 04:00 UTC</title></head>" + "<p>Sorry.</p>\n" * 200
        answer = web.Response(status=503, text=page, content_type="text/html")
        answer.enable_compression(web.ContentCoding.gzip)
        return answer

    await aiohttp_server(closed)
    async with aiohttp.ClientSession() as session:
        try:
            await session.ws_connect(URL)
        except aiohttp.WSServerHandshakeError:
            pass


@incident
async def refused_504_nginx(on):
    """nginx in front of an application that hangs in the handshake: 504 after proxy_read_timeout 2s."""
    async def hang(reader, writer):
        await reader.read(4096)
        await asyncio.sleep(10)

    await tcp_server(hang, 9000)
    await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; proxy_read_timeout 2s; {UPGRADE} }}")
    await node_client(on)


@incident
async def origin_refused_chromium(on):
    """A page of http://127.0.0.1:8081 opens a socket to an npm ws server that allows another origin."""
    server = await on.node("""
        import { createServer } from 'node:http';
        import { WebSocketServer } from 'ws';
        createServer((request, response) => response.writeHead(200, { 'Content-Type': 'text/html' })
          .end("<script>new WebSocket('ws://127.0.0.1:8080/feed')</script>")).listen(8081, '127.0.0.1');
        const server = createServer();
        const sockets = new WebSocketServer({ noServer: true });
        server.on('upgrade', (request, socket, head) => {
          if (request.headers.origin !== 'https://app.example.com') {
            socket.end('HTTP/1.1 403 Forbidden\\r\\nContent-Type: text/plain\\r\\nConnection: close\\r\\n\\r\\n'
              + `Origin ${request.headers.origin} is not allowed\\n`);
            return;
          }
          sockets.handleUpgrade(request, socket, head, () => {});
        });
        server.listen(8080, '127.0.0.1', () => console.log('ready'));
    """)
    on.end_capture()
    on.capture("tcp port 8080")
    await on.chromium("http://127.0.0.1:8081/", 6)
    server.kill()


@incident
async def subprotocol_not_agreed(on):
    """npm ws offers the subprotocol chat.v2 to a Python websockets server that knows none, and leaves."""
    async with serve(echo, "127.0.0.1", 8080, compression=None):
        await node_client(on, protocol="chat.v2")


@incident
async def extension_stripped(on):
    """nginx removes Sec-WebSocket-Extensions on the way to npm ws; captured on both sides of it."""
    server = await on.node(NODE_SERVER, "9000")
    await on.nginx(f"""listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; {UPGRADE}
        proxy_set_header Sec-WebSocket-Extensions ""; }}""")
    async with connect(URL) as socket:
        await socket.send("hello " * 40)
        await socket.recv()
    server.kill()


@incident
async def upgrade_stripped_nginx(on):
    """nginx as it is without `proxy_http_version 1.1` and the Upgrade header: HTTP/1.0 to npm ws, which
    answers 426."""
    server = await on.node(NODE_SERVER, "9000")
    await on.nginx("listen 8080; location / { proxy_pass http://127.0.0.1:9000; }")
    await node_client(on)
    server.kill()


@incident
async def http10_kept_upgrade(on):
    """nginx passes Upgrade on, but still speaks HTTP/1.0 to Python websockets."""
    async with serve(echo, "127.0.0.1", 9000):
        await on.nginx("""listen 8080; location / { proxy_pass http://127.0.0.1:9000;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }""")
        await node_client(on)


@incident
async def version_unsupported(on):
    """A client asks npm ws for version 7 of the protocol."""
    server = await on.node(NODE_SERVER)
    await on.run("curl", "-s", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "-H", "Sec-WebSocket-Version: 7",
                 "http://127.0.0.1:8080/feed")
    server.kill()


@incident
async def answered_200_spa(on):
    """A web server answers every path with the application's page: 200 and HTML instead of 101."""
    (on.here / "index.html").write_text("<!doctype html>\n<title>Our App</title>\n<div id=app></div>\n")
    await on.nginx(f"listen 8080; root {on.here}; location / {{ try_files $uri /index.html; }}")
    await node_client(on)


@incident
async def unanswered_client_gave_up(on):
    """A server accepts and never answers; two clients, one after the other, give up after 2.5 s each. Its
    sockets stay open."""
    server = await on.python("""
        import socket, time
        listener = socket.create_server(("127.0.0.1", 8080))
        print("ready")
        peers = []
        while True:
            peers.append(listener.accept())
    """)
    for _ in range(2):
        try:
            await connect("ws://127.0.0.1:8080/api", compression=None, open_timeout=2.5)
        except Exception:
            pass
    await asyncio.sleep(3)
    server.kill()


@incident
async def refused_403_behind_nginx(on):
    """An application on aiohttp refuses with 403; nginx in front of it passes that on, captured on both sides."""
    async def refuse(request):
        return web.Response(status=403, text="token expired\n")

    app = web.Application()
    app.router.add_get("/feed", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 9000).start()
    await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; {UPGRADE} }}")
    await try_once()
    await runner.cleanup()
