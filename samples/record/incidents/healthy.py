"""What goes as it should, and must be left alone."""

import asyncio

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from closing import echo
from silence import UPGRADE
from stage import incident

ROOM = """
    import { createServer } from 'node:http';
    import { WebSocketServer } from 'ws';
    const page = `<!doctype html><title>Room</title><script>
      const socket = new WebSocket('ws://' + location.host + '/room');
      socket.onopen = () => { socket.send('hello'); setTimeout(() => { location.href = '/elsewhere'; }, 1500); };
    </script>`;
    const http = createServer((request, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(request.url === '/' ? page : ''));
    const server = new WebSocketServer({ server: http, path: '/room' });
    server.on('connection', (socket) => socket.on('message', (data) => {
      for (const other of server.clients) other.send(`somebody: ${data}`);
    }));
    http.listen(Number(process.argv[1] ?? 8080), '127.0.0.1', () => console.log('ready'));
"""


async def talk(url, name, turns=4, wait=0.0, **options):
    await asyncio.sleep(wait)
    async with connect(url, **options) as socket:
        for turn in range(turns):
            await socket.send(f"{name} says {turn}")
            await socket.recv()
            await asyncio.sleep(0.3)


@incident
async def healthy_closed_by_client(on):
    """A client of Python websockets talks to npm ws, and closes with 1000."""
    server = await on.node(ROOM)
    await talk("ws://127.0.0.1:8080/room", "Anna")
    server.kill()


@incident
async def healthy_page_left(on):
    """A page in Chromium is left: the browser says 1001."""
    server = await on.node(ROOM)
    await on.chromium("http://127.0.0.1:8080/", 7)
    server.kill()


@incident
async def healthy_heartbeat(on):
    """Python websockets pings its client every second, npm ws answers; then the client closes."""
    async with serve(echo, "127.0.0.1", 8080, ping_interval=1, ping_timeout=1):
        client = await on.node("""
            import WebSocket from 'ws';
            const socket = new WebSocket('ws://127.0.0.1:8080/feed');
            socket.on('open', () => { socket.send('hello'); setTimeout(() => socket.close(1000, 'done'), 6500); });
        """, ready=None)
        await on.finish(client)


@incident
async def healthy_behind_nginx(on):
    """Two people in a room behind nginx, captured on both sides of it."""
    server = await on.node(ROOM, "9000")
    await on.nginx(f"listen 8080; location / {{ proxy_pass http://127.0.0.1:9000; {UPGRADE} }}")
    await asyncio.gather(talk("ws://127.0.0.1:8080/room", "Anna"), talk("ws://127.0.0.1:8080/room", "Ben", wait=0.15))
    server.kill()


@incident
async def healthy_side_by_side(on):
    """Five clients of one host open their connections at once, talk to aiohttp, and close one after the other."""
    server = await on.python("""
        from aiohttp import web
        async def room(request):
            socket = web.WebSocketResponse(heartbeat=1)
            await socket.prepare(request)
            async for message in socket:
                await socket.send_str("heard: " + message.data)
            return socket
        app = web.Application()
        app.add_routes([web.get("/room", room)])
        async def ready(app):
            print("ready")
        app.on_startup.append(ready)
        web.run_app(app, host="127.0.0.1", port=8080, print=None)
    """)
    await on.listening(8080)
    await asyncio.gather(*(talk("ws://127.0.0.1:8080/room", f"client {each}", turns=4 + each) for each in range(5)))
    server.kill()


@incident
async def healthy_midway(on):
    """A feed to three clients, of which the capture has neither the beginning nor the end."""
    on.end_capture()
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        let count = 0;
        setInterval(() => { for (const socket of server.clients) socket.send(`price ${++count}`); }, 150);
    """)
    client = await on.node("""
        import WebSocket from 'ws';
        let open = 0;
        for (let each = 0; each < 3; each++) {
          const socket = new WebSocket('ws://127.0.0.1:8080/feed', { perMessageDeflate: false });
          socket.on('open', () => {
            setInterval(() => socket.send('still here'), 900);
            if (++open === 3) console.log('ready');
          });
        }
    """)
    await asyncio.sleep(0.5)
    on.capture()
    await asyncio.sleep(5)
    on.end_capture()
    client.kill()
    server.kill()
