"""Clients that come back: too fast, or all at once."""

import asyncio
import random

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from stage import incident

FLAKY = """
    import { WebSocketServer } from 'ws';
    const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
    server.on('connection', (socket) => setTimeout(() => socket.terminate(), 8));
"""


@incident
async def reconnect_storm(on):
    """A server drops each connection after 8 ms; the client reconnects at once, 50 times."""
    server = await on.node(FLAKY)
    client = await on.node("""
        import WebSocket from 'ws';
        let left = 50;
        function connect() {
          const socket = new WebSocket('ws://127.0.0.1:8080/live', { perMessageDeflate: false });
          socket.on('error', () => {});
          socket.on('close', () => { if (--left > 0) connect(); });
        }
        connect();
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def thundering_herd(on):
    """A server with 30 clients is killed and started again; all return within 50 ms, a second later."""
    source = """
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
    """
    server = await on.node(source)
    client = await on.node("""
        import WebSocket from 'ws';
        let opened = 0;
        function connect(first) {
          const socket = new WebSocket('ws://127.0.0.1:8080/live', { perMessageDeflate: false });
          socket.on('error', () => {});
          socket.on('open', () => { socket.send('hello'); if (++opened === 30) console.log('ready'); });
          if (first) socket.on('close', () => setTimeout(connect, 1000));
          else socket.on('open', () => setTimeout(() => socket.close(1000), 1500));
        }
        for (let each = 0; each < 30; each++) setTimeout(connect, each * 30, true);
    """)
    server.kill()
    await asyncio.sleep(0.3)
    server = await on.node(source)
    await on.finish(client)
    server.kill()


@incident
async def busy_address(on):
    """Behind one address are 24 who connect once each, when they like; Python websockets ends each with 1011."""
    async def handler(socket):
        await socket.send("welcome")
        await asyncio.sleep(moments.uniform(0.2, 2))
        await socket.close(1011, "db pool exhausted")

    async def one():
        await asyncio.sleep(moments.uniform(0, 8))
        async with connect("ws://127.0.0.1:8080/page", ping_interval=None, compression=None) as socket:
            await socket.wait_closed()

    moments = random.Random(4)
    async with serve(handler, "127.0.0.1", 8080, ping_interval=None, compression=None):
        await asyncio.gather(*(one() for _ in range(24)))


PAGE = """
    import { createServer } from 'node:http';
    import { WebSocketServer } from 'ws';
    const page = `<!doctype html><title>Loop</title><script>
      const socket = new WebSocket('ws://' + location.host + '/app');
      socket.onopen = () => { socket.send('hello'); setTimeout(() => location.reload(), 150); };
    </script>`;
    const http = createServer((request, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(request.url === '/' ? page : ''));
    new WebSocketServer({ server: http, path: '/app' }).on('connection', (socket) =>
      socket.on('message', () => socket.send('welcome')));
    http.listen(8080, '127.0.0.1', () => console.log('ready'));
"""


@incident
async def page_reload_loop(on):
    """A page in Chromium reloads itself all the time: each time 1001, and a new connection."""
    server = await on.node(PAGE)
    await on.chromium("http://127.0.0.1:8080/", 9)
    server.kill()
