"""Connections that end with a Close frame, and what its code and reason say."""

import asyncio
import json

import aiohttp
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from stage import Raw, incident

URL = "ws://127.0.0.1:8080/feed"


async def guest(name, *, url=URL, every=0.3, wait=0.0, **options):
    """Says something now and then until the connection ends."""
    await asyncio.sleep(wait)
    async with connect(url, compression=None, **options) as socket:
        try:
            for turn in range(1000):
                await socket.send(json.dumps({"from": name, "turn": turn}))
                await socket.recv()
                await asyncio.sleep(every)
        except ConnectionClosed:
            pass


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def aiohttp_server(handler, port=8080, path="/feed"):
    app = web.Application()
    app.router.add_get(path, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()


@incident
async def close_1001_deploy(on):
    """npm ws gets SIGTERM, as at a deploy, and says 1001 to its six clients."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
        process.on('SIGTERM', () => {
          for (const socket of server.clients) socket.close(1001, 'server is restarting');
          server.close(() => process.exit());
        });
    """)
    guests = [asyncio.create_task(guest(f"guest {number}", wait=number / 20)) for number in range(6)]
    await asyncio.sleep(1.2)
    server.terminate()
    await asyncio.gather(*guests)
    await on.finish(server)


@incident
async def close_1002_reserved_bit(on):
    """A client compresses although nothing was agreed; Python websockets refuses the reserved bit."""
    async with serve(echo, "127.0.0.1", 8080, compression=None):
        client = await Raw.open("/feed")
        client.frame(1, b"hello")
        await client.next()
        # "hello", deflated, with RSV1.
        client.frame(1, bytes.fromhex("cb48cdc9c90700"), rsv1=True)
        await client.until_close()


@incident
async def close_1002_npm_ws(on):
    """A client sends the end of a message that was never begun; npm ws closes with 1002."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => {
          socket.on('message', (data) => socket.send(`${data}`));
          socket.on('error', () => {});
        });
    """)
    client = await Raw.open("/feed")
    client.frame(1, b"first ", fin=False)
    client.frame(0, b"message")
    await client.next()
    client.frame(0, b"and more of it")
    await client.until_close()
    server.kill()


@incident
async def close_1003_text_only(on):
    """An application on aiohttp takes text only, and is sent a picture."""
    async def handler(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                await socket.send_str("noted")
            else:
                await socket.close(code=1003, message=b"text messages only")
        return socket

    await aiohttp_server(handler)
    async with aiohttp.ClientSession() as session, session.ws_connect(URL) as socket:
        await socket.send_str("a note")
        await socket.receive()
        await socket.send_bytes(b"\x89PNG\r\n\x1a\n" + bytes(24))
        await socket.receive()


@incident
async def close_1007_latin1(on):
    """A client sends text in Latin-1; Python websockets closes with 1007."""
    async with serve(echo, "127.0.0.1", 8080, compression=None):
        client = await Raw.open("/feed")
        client.frame(1, "name: Müller".encode("utf-8"))
        await client.next()
        client.frame(1, "name: Müller".encode("latin-1"))
        await client.until_close()


@incident
async def close_1008_token_expired(on):
    """An application on Python websockets closes with 1008 when the token has expired."""
    async def handler(socket):
        async for message in socket:
            if json.loads(message)["turn"] == 4:
                return await socket.close(1008, "token expired")
            await socket.send(message)

    async with serve(handler, "127.0.0.1", 8080):
        await guest("Anna")


@incident
async def close_1008_unfinished(on):
    """A client sends the beginning of a message and no more; an application on Python websockets has enough
    of that after 2 s, and says so in a reason of its own."""
    async def handler(socket):
        try:
            async with asyncio.timeout(2):
                await socket.recv()
        except TimeoutError:
            await socket.close(1008, "message not finished in time")

    async with serve(handler, "127.0.0.1", 8080):
        async with connect(URL, compression=None) as socket:
            async def beginning():
                yield '{"rows": ['
                await socket.wait_closed()

            try:
                await socket.send(beginning())
            except ConnectionClosed:
                pass


@incident
async def close_1009_python_websockets(on):
    """A client sends 1.2 MB to Python websockets, whose limit is 1 MiB by default."""
    async with serve(echo, "127.0.0.1", 8080):
        async with connect(URL, compression=None) as socket:
            await socket.send("small")
            await socket.recv()
            try:
                await socket.send('{"rows": [' + '{"price": 100}, ' * 75_000 + "0]}")
                await socket.recv()
            except ConnectionClosed:
                pass


@incident
async def close_1009_npm_ws(on):
    """A client sends 1.5 MB to npm ws, whose maxPayload the application has set to 1 MiB."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080, maxPayload: 1 << 20 }, () => console.log('ready'));
        server.on('connection', (socket) => {
          socket.on('message', (data) => socket.send('saved ' + data.length));
          socket.on('error', () => {});
        });
    """)
    async with connect("ws://127.0.0.1:8080/upload", compression=None) as socket:
        await socket.send("thumbnail")
        await socket.recv()
        try:
            await socket.send(bytes(1_500_000))
            await socket.recv()
        except ConnectionClosed:
            pass
    server.kill()


@incident
async def close_1011_db_pool(on):
    """npm ws closes 40 connections with 1011 while its database has no room; the client of each is back
    after 5 ms."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => {
          socket.send('{"type":"welcome"}');
          setTimeout(() => socket.close(1011, 'db pool exhausted'), 30 + Math.random() * 15);
        });
    """)
    client = await on.node("""
        import WebSocket from 'ws';
        let left = 40;
        function connect() {
          const socket = new WebSocket('ws://127.0.0.1:8080/feed', { perMessageDeflate: false });
          socket.on('close', () => { if (--left >= 4) setTimeout(connect, 5); });
        }
        for (let each = 0; each < 4; each++) setTimeout(connect, each * 20);
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def close_1011_handler_raised(on):
    """The handler of a Python websockets server raises an exception: 1011, without a reason."""
    async def handler(socket):
        async for message in socket:
            await socket.send(str(10 / int(message)))

    async with serve(handler, "127.0.0.1", 8080), connect("ws://127.0.0.1:8080/divide") as socket:
        try:
            for divisor in [5, 2, 1, 0]:
                await socket.send(str(divisor))
                await socket.recv()
        except ConnectionClosed:
            pass


@incident
async def close_1012_restart(on):
    """npm ws closes its three clients with 1012, service restart."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
        setTimeout(() => { for (const socket of server.clients) socket.close(1012, 'service restart'); }, 2000);
    """)
    await asyncio.gather(*(guest(name, wait=len(name) / 20) for name in ["Ann", "Bert", "Carla"]))
    server.kill()


@incident
async def close_1013_at_capacity(on):
    """A Python websockets server lets two in, and closes the third with 1013."""
    inside = 0

    async def handler(socket):
        nonlocal inside
        if inside >= 2:
            return await socket.close(1013, "at capacity, try again in 30 s")
        inside += 1
        await echo(socket)

    async with serve(handler, "127.0.0.1", 8080):
        first = [await connect(URL, compression=None) for _ in range(2)]
        for socket in first:
            await socket.send("hello")
            await socket.recv()
        await guest("Carla")
        for socket in first:
            await socket.close()


@incident
async def close_1014_bad_gateway(on):
    """A gateway on aiohttp cannot reach what is behind it, and says 1014."""
    async def handler(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        try:
            async with aiohttp.ClientSession() as session:
                await session.ws_connect("ws://127.0.0.1:9090/backend")
        except aiohttp.ClientConnectorError:
            await socket.close(code=1014, message=b"backend unreachable")
        return socket

    await aiohttp_server(handler)
    async with connect(URL) as socket:
        try:
            await socket.recv()
        except ConnectionClosed:
            pass


@incident
async def close_3000_unauthorized(on):
    """A Python websockets server closes with 3000 when the first message carries a bad token."""
    async def handler(socket):
        if json.loads(await socket.recv())["token"] != "secret":
            await socket.close(3000, "Unauthorized")

    async with serve(handler, "127.0.0.1", 8080), connect(URL) as socket:
        await socket.send('{"token":"guess"}')
        try:
            await socket.recv()
        except ConnectionClosed:
            pass


@incident
async def close_4401_session_expired(on):
    """An application on aiohttp closes with a code of its own, 4401."""
    async def handler(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for turn in range(4):
            await socket.send_json({"turn": turn})
            await asyncio.sleep(0.3)
        await socket.close(code=4401, message=b"session expired, please sign in again")
        return socket

    await aiohttp_server(handler)
    async with connect(URL) as socket:
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            pass


GRAPHQL = """
    import { WebSocketServer } from 'ws';
    import { useServer } from 'graphql-ws/use/ws';
    import { buildSchema } from 'graphql';
    const schema = buildSchema('type Query { hello: String } type Subscription { price(of: String): Int }');
    async function* price({ of }) {
      for (const price of [101, 102]) yield { price };
      throw new Error(`no price for ${of}: feed disconnected`);
    }
    const server = new WebSocketServer({ port: 8080, path: '/graphql', handleProtocols: () => 'graphql-transport-ws' },
      () => console.log('ready'));
    useServer({ schema, roots: { query: { hello: 'world' }, subscription: { price } },
      connectionInitWaitTimeout: 2000 }, server);
"""


async def graphql(*messages):
    """Sends messages to the GraphQL server, and reads until the end."""
    socket = await connect("ws://127.0.0.1:8080/graphql", subprotocols=["graphql-transport-ws"], compression=None)
    try:
        for message in messages:
            await socket.send(json.dumps(message))
            await asyncio.sleep(0.2)
        while True:
            await asyncio.wait_for(socket.recv(), 4)
    except (ConnectionClosed, TimeoutError):
        await socket.close()


@incident
async def graphql_4400_old_protocol(on):
    """A client of the older subscriptions-transport-ws sends "start"; graphql-ws closes with 4400."""
    server = await on.node(GRAPHQL)
    await graphql({"type": "connection_init"},
                  {"id": "1", "type": "start", "payload": {"query": "subscription { price(of: \"X\") }"}})
    server.kill()


@incident
async def graphql_4429_init_twice(on):
    """A client sends connection_init twice; graphql-ws closes with 4429."""
    server = await on.node(GRAPHQL)
    await graphql({"type": "connection_init"}, {"type": "connection_init"})
    server.kill()


@incident
async def graphql_4408_no_init(on):
    """A client never sends connection_init; graphql-ws closes with 4408 after its two seconds."""
    server = await on.node(GRAPHQL)
    await graphql()
    server.kill()


@incident
async def graphql_4401_subscribe_first(on):
    """A client subscribes without connection_init; graphql-ws closes with 4401."""
    server = await on.node(GRAPHQL)
    await graphql({"id": "1", "type": "subscribe", "payload": {"query": "{ hello }"}})
    server.kill()


@incident
async def close_1009_inflated(on):
    """A client sends 5 KB that inflate to 5 MB to Python websockets, whose limit is 1 MiB: 1009."""
    async with serve(echo, "127.0.0.1", 8080), connect("ws://127.0.0.1:8080/import") as socket:
        await socket.send(b"small")
        await socket.recv()
        try:
            await socket.send(b"A" * 5_000_000)
            await socket.recv()
        except ConnectionClosed:
            pass


@incident
async def close_1012_rooms(on):
    """npm ws closes eight clients in four rooms, each a path of its own, with 1012."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080 }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)));
        setTimeout(() => {
          for (const socket of server.clients) socket.close(1012, 'Service Restart');
          setTimeout(() => process.exit(), 500);
        }, 2500);
    """)
    client = await on.node("""
        import WebSocket from 'ws';
        for (let each = 0; each < 8; each++) setTimeout(() => {
          const socket = new WebSocket(`ws://127.0.0.1:8080/room/${each % 4}`, { perMessageDeflate: false });
          socket.on('open', () => socket.send('hello'));
        }, each * 90);
    """, ready=None)
    await on.finish(client)
    server.kill()
