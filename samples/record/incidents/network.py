"""What TCP and the path below it do: windows, loss, silence; and what sizes and rates do."""

import asyncio
import os
import socket as sockets

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from stage import Network, by_hand, incident

TICKER = """
    import asyncio, sys
    from websockets.asyncio.server import serve
    every, count = float(sys.argv[1]), int(sys.argv[2])
    async def handler(socket):
        for tick in range(count):
            await socket.send('{"symbol":"ABC","tick":%d}' % tick + " " * int(sys.argv[3]))
            await asyncio.sleep(every)
    async def main():
        async with serve(handler, "10.0.0.7", 8080, compression=None, ping_interval=2, ping_timeout=4, close_timeout=2):
            print("ready")
            await asyncio.Future()
    asyncio.run(main())
"""

ECHO = """
    import asyncio
    from websockets.asyncio.server import serve
    async def echo(socket):
        async for message in socket:
            await socket.send(message)
    async def main():
        async with serve(echo, "10.0.0.7", 8080, compression=None, ping_interval=None):
            print("ready")
            await asyncio.Future()
    asyncio.run(main())
"""

LISTENER = """
    import asyncio
    from websockets.asyncio.client import connect
    async def main():
        async with connect("ws://10.0.0.7:8080/ticks", compression=None, ping_interval=None) as socket:
            print("ready")
            async for message in socket:
                pass
    asyncio.run(main())
"""

TALKER = """
    import asyncio
    from websockets.asyncio.client import connect
    async def main():
        async with connect("ws://10.0.0.7:8080/ticks", compression=None, ping_interval=None) as socket:
            print("ready")
            while True:
                await socket.send('{"seen":"all"}')
                await asyncio.sleep(0.7)
    asyncio.run(main())
"""


@incident
async def zero_window(on):
    """A client of Python websockets is busy for four seconds and does not read; its window closes."""
    async def handler(socket):
        for turn in range(60):
            await socket.send(f"{turn:04} " + "0123456789" * 200)

    async with serve(handler, "127.0.0.1", 8080, compression=None, ping_interval=None, write_limit=4096):
        client = await on.python("""
            import asyncio, socket, time
            from websockets.asyncio.client import connect
            async def main():
                plain = socket.socket()
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                plain.connect(("127.0.0.1", 8080))
                async with connect("ws://127.0.0.1:8080/rows", sock=plain, compression=None, max_queue=4,
                                   ping_interval=None) as rows:
                    number = 0
                    async for message in rows:
                        number += 1
                        if number == 10:
                            time.sleep(4)
            asyncio.run(main())
        """, ready=None)
        await on.finish(client)


@incident
async def zero_window_cut(on):
    """The same, and of each packet only the first 128 bytes are captured."""
    on.end_capture()
    on.capture(snaplen=128)
    await zero_window(on)


@incident
async def path_went_dark(on):
    """The wire between two hosts is cut; the server's segments are sent again and again, then its ping
    times out. Captured at the server."""
    wire = Network(delay=0.005)
    server = await on.python(TICKER, "0.5", "1000", "0", within=wire.at("server"))
    on.capture("tcp", "s1", wire.at("server"))
    client = await on.python(LISTENER, within=wire.at("client"))
    await asyncio.sleep(3)
    wire.dark = True
    await asyncio.sleep(12)
    client.kill()
    server.kill()
    await asyncio.sleep(0.5)


path_went_dark.captures_itself = True
path_went_dark.long = True


@incident
async def one_way_dark(on):
    """Between two hosts a firewall begins to drop what the server sends, and lets pass what the client
    sends. Captured at the server."""
    wire = Network(delay=0.005)
    server = await on.python(TICKER, "0.5", "1000", "0", within=wire.at("server"))
    on.capture("tcp", "s1", wire.at("server"))
    client = await on.python(TALKER, within=wire.at("client"))
    await asyncio.sleep(3)
    wire.dark = "server"
    await asyncio.sleep(6)
    client.kill()
    server.kill()


one_way_dark.captures_itself = True


@incident
async def half_open(on):
    """A client's host loses its power and is back: the server knows nothing of it, sends on, and gets a RST."""
    wire = Network(delay=0.005)
    server = await on.python(TICKER, "1.5", "1000", "0", within=wire.at("server"))
    on.capture("tcp", "s1", wire.at("server"))
    client = await on.python(LISTENER, within=wire.at("client"))
    await asyncio.sleep(2.2)
    wire.dark = True
    client.kill()
    await on.finish(client)
    wire.reboot("client")
    wire.dark = False
    await asyncio.sleep(3)
    server.kill()
    await asyncio.sleep(0.5)


half_open.captures_itself = True


@incident
async def lossy_network(on):
    """One segment in ten is lost on the way, at a round-trip time of 40 ms. Captured at the server."""
    wire = Network(delay=0.02, loss=0.1)
    server = await on.python(TICKER, "0.03", "160", "300", within=wire.at("server"))
    on.capture("tcp", "s1", wire.at("server"))
    client = await on.python(LISTENER, within=wire.at("client"))
    await on.finish(client)
    server.kill()


lossy_network.captures_itself = True


@incident
async def message_loop(on):
    """A client answers each of its own messages twice: a loop, whose rate doubles until the server
    closes with 1008."""
    async def handler(socket):
        count = 0
        async for _ in socket:
            count += 1
            if count > 400:
                return await socket.close(1008, "rate limit exceeded")

    async with serve(handler, "127.0.0.1", 8080, compression=None):
        client = await on.node("""
            import WebSocket from 'ws';
            const socket = new WebSocket('ws://127.0.0.1:8080/sync', { perMessageDeflate: false });
            function say(round) {
              if (socket.readyState !== WebSocket.OPEN) return;
              socket.send(`{"sync":${round}}`);
              for (let each = 0; each < 2; each++) setTimeout(say, 480 + Math.random() * 40, round + 1);
            }
            socket.on('open', () => say(0));
            socket.on('close', () => process.exit());
        """, ready=None)
        await on.finish(client)


@incident
async def compression_wasted(on):
    """Pictures, which are compressed already, go through permessage-deflate and get larger."""
    async def handler(socket):
        for _ in range(24):
            await socket.send(os.urandom(700))
            await asyncio.sleep(0.04)

    async with serve(handler, "127.0.0.1", 8080), connect("ws://127.0.0.1:8080/pictures") as socket:
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            pass


@incident
async def keep_alive_unanswered(on):
    """An idle connection's client is gone without a word; TCP's keep-alive probes tell the server after
    a while. Captured at the server."""
    wire = Network(delay=0.005)
    server = await on.python("""
        import asyncio, socket as sockets
        from websockets.asyncio.server import serve
        async def handler(socket):
            plain = socket.transport.get_extra_info("socket")
            plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, 1)
            plain.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_KEEPIDLE, 2)
            plain.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_KEEPINTVL, 1)
            plain.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_KEEPCNT, 4)
            await socket.send("hello")
            await socket.wait_closed()
        async def main():
            async with serve(handler, "10.0.0.7", 8080, compression=None, ping_interval=None):
                print("ready")
                await asyncio.Future()
        asyncio.run(main())
    """, within=wire.at("server"))
    on.capture("tcp", "s1", wire.at("server"))
    client = await on.python(LISTENER, within=wire.at("client"))
    await asyncio.sleep(5)
    wire.dark = True
    await asyncio.sleep(8)
    client.kill()
    server.kill()
    await asyncio.sleep(0.5)


keep_alive_unanswered.captures_itself = True


@incident
async def sent_after_fin(on):
    """A server closes its socket without a Close frame; the client does not look, and sends on."""
    async def handler(reader, writer):
        await reader.read(4096)
        writer.write(b"\x81\x05hello")
        writer.close()

    server = await by_hand(handler)
    client = await on.python("""
        import os, socket, struct, time
        plain = socket.create_connection(("127.0.0.1", 8080))
        plain.sendall(b"GET /rows HTTP/1.1\\r\\nHost: 127.0.0.1:8080\\r\\nUpgrade: websocket\\r\\n"
                      b"Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
                      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
        plain.recv(4096)
        def send(text):
            mask = os.urandom(4)
            plain.sendall(struct.pack("!BB", 0x81, 0x80 | len(text)) + mask
                          + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text)))
        send(b"insert 1")
        time.sleep(0.7)
        send(b"insert 2, which nobody will read")
        time.sleep(0.3)
    """, ready=None)
    await on.finish(client)
    server.close()


@incident
async def mtu_black_hole(on):
    """A VPN drops packets above 1,400 bytes without a word: short messages get through, and one of 4 KB does not."""
    on.end_capture()
    network = Network(delay=0.01, largest=1414)
    server = await on.python(ECHO, within=network.at("server"))
    on.capture("tcp port 8080", interface="c1", within=network.at("client"))
    client = await on.python("""
        import asyncio
        from websockets.asyncio.client import connect
        async def main():
            async with connect("ws://10.0.0.7:8080/feed", compression=None, ping_interval=4, ping_timeout=6) as socket:
                for turn in range(3):
                    await socket.send('{"turn":%d}' % turn)
                    await socket.recv()
                await socket.send("x" * 4000)
                await socket.recv()
        print("ready")
        asyncio.run(main())
    """, within=network.at("client"))
    await on.finish(client)
    server.kill()
