"""Processes that die, and what is left of their connections."""

import asyncio
import pathlib
import socket as sockets

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from closing import guest
from stage import incident


async def listen(url="ws://127.0.0.1:8080/feed", hello=None, **options):
    """Listens until the connection ends."""
    try:
        async with connect(url, compression=None, **options) as socket:
            if hello:
                await socket.send(hello)
            while True:
                await socket.recv()
    except (ConnectionClosed, OSError):
        pass


@incident
async def server_killed(on):
    """An npm ws server with six clients is killed (SIGKILL), as by the kernel when memory is short."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
    """)
    guests = [asyncio.create_task(guest(f"guest {number}", every=0.2 + number / 50, wait=number / 20)) for number in range(6)]
    await asyncio.sleep(1.5)
    server.kill()
    await asyncio.gather(*guests, return_exceptions=True)


@incident
async def killed_between_fragments(on):
    """An npm ws server sends a message in fragments, and is killed after five of them."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', () => {
          socket.send('report begins');
          let part = 0;
          setInterval(() => socket.send(`row ${++part};`.repeat(10), { fin: false, compress: false }), 200);
        }));
    """)
    listening = asyncio.create_task(listen("ws://127.0.0.1:8080/report", "report please"))
    await asyncio.sleep(1.35)
    server.kill()
    await listening


@incident
async def killed_inside_frame(on):
    """An npm ws server has written a part of a message of 600 kB when it is killed; its client reads slowly."""
    # What the kernel buffers for a dead process still arrives: so that it is little.
    pathlib.Path("/proc/sys/net/ipv4/tcp_wmem").write_text("4096 16384 65536")
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', () => socket.send(Buffer.alloc(600_000))));
    """)
    plain = sockets.socket()
    plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 32768)
    plain.connect(("127.0.0.1", 8080))
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    plain.sendall((f"GET /backup HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
    plain.recv(4096)
    plain.sendall(b"\x81\x84abcd" + bytes(a ^ b for a, b in zip(b"send", b"abcd")))
    for _ in range(10):
        await asyncio.sleep(0.1)
        plain.recv(4096)
    server.kill()
    await asyncio.sleep(0.2)
    plain.settimeout(2)
    try:
        while plain.recv(65536):
            pass
    except OSError:
        pass
    plain.close()


@incident
async def reset_in_flight(on):
    """A Python server ends with SO_LINGER 0: a RST, while its client is still sending an upload."""
    server = await on.python("""
        import asyncio, socket, struct
        from websockets.asyncio.server import serve
        async def handler(connection):
            received = 0
            async for message in connection:
                received += 1
                if received == 6:
                    raw = connection.transport.get_extra_info("socket")
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.transport.abort()
                    return
        async def main():
            async with serve(handler, "127.0.0.1", 8080, compression=None):
                print("ready")
                await asyncio.Future()
        asyncio.run(main())
    """)
    try:
        async with connect("ws://127.0.0.1:8080/upload", compression=None) as socket:
            for part in range(100):
                await socket.send(f"part {part} " + "x" * 400)
                await asyncio.sleep(0.02)
    except (ConnectionClosed, OSError):
        pass
    server.kill()


@incident
async def client_killed(on):
    """A client of Python websockets is killed (SIGKILL) while the server goes on sending."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => {
          socket.on('error', () => {});
          let tick = 0;
          const ticking = setInterval(() => socket.send(`tick ${++tick}`), 150);
          socket.on('close', () => clearInterval(ticking));
        });
    """)
    client = await on.python("""
        import asyncio
        from websockets.asyncio.client import connect
        async def main():
            async with connect("ws://127.0.0.1:8080/ticks", compression=None) as socket:
                async for message in socket:
                    print("ready" if message == "tick 5" else message)
        asyncio.run(main())
    """)
    client.kill()
    await asyncio.sleep(1)
    server.kill()
