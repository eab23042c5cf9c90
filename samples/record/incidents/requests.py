"""Requests inside messages, and replies that are missing, late, or errors."""

import asyncio
import json

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from closing import GRAPHQL, graphql
from stage import incident


async def rpc(socket):
    """JSON-RPC 2.0: `balance` is quick, `report` takes 2.5 s, `transfer` fails, `export` is forgotten."""
    async def answer(call):
        reply = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] == "export":
            return
        if call["method"] == "report":
            await asyncio.sleep(2.5)
        if call["method"] == "transfer":
            reply["error"] = {"code": -32000, "message": "insufficient funds"}
        else:
            reply["result"] = {"method": call["method"], "value": 42}
        await socket.send(json.dumps(reply))

    async for message in socket:
        asyncio.create_task(answer(json.loads(message)))


async def call(socket, number, method):
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {"account": number}}))


@incident
async def jsonrpc_unanswered(on):
    """A JSON-RPC call is never answered; the client waits four seconds for it and leaves."""
    async with serve(rpc, "127.0.0.1", 8080, compression=None), \
            connect("ws://127.0.0.1:8080/rpc", compression=None) as socket:
        for number in range(1, 9):
            await call(socket, number, "export" if number == 6 else "balance")
            if number != 6:
                await socket.recv()
            await asyncio.sleep(0.1)
        await asyncio.sleep(4)


@incident
async def jsonrpc_slow(on):
    """One JSON-RPC method takes 2.5 s, the others a millisecond."""
    async with serve(rpc, "127.0.0.1", 8080, compression=None), \
            connect("ws://127.0.0.1:8080/rpc", compression=None) as socket:
        for number in range(1, 13):
            await call(socket, number, "report" if number % 4 == 0 else "balance")
            await socket.recv()


@incident
async def jsonrpc_error(on):
    """JSON-RPC calls are answered with an error."""
    async with serve(rpc, "127.0.0.1", 8080, compression=None), \
            connect("ws://127.0.0.1:8080/rpc", compression=None) as socket:
        for number in range(1, 9):
            await call(socket, number, "transfer" if number > 5 else "balance")
            await socket.recv()


@incident
async def graphql_subscription_error(on):
    """A subscription yields two prices, then its source fails; graphql-ws reports the error."""
    server = await on.node(GRAPHQL)
    await graphql({"type": "connection_init"},
                  {"id": "1", "type": "subscribe", "payload": {"query": "subscription { price(of: \"ABC\") }"}},
                  {"id": "2", "type": "subscribe", "payload": {"query": "subscription { volume(of: \"ABC\") }"}})
    server.kill()


SOCKET_IO = """
    import { Server } from 'socket.io';
    const io = new Server(8080, { pingInterval: 1000, pingTimeout: 1500 });
    io.on('connection', (socket) => {
      socket.on('save', (what, done) => { if (what !== 'draft 3') done('saved'); });
    });
    console.log('ready');
"""


@incident
async def socketio_ack_missing(on):
    """A Socket.IO server never calls the acknowledgement of one of five events."""
    server = await on.node(SOCKET_IO)
    client = await on.node("""
        import { io } from 'socket.io-client';
        const socket = io('http://127.0.0.1:8080', { transports: ['websocket'] });
        socket.on('connect', async () => {
          for (const draft of [1, 2, 3, 4, 5]) {
            try { await socket.timeout(2500).emitWithAck('save', `draft ${draft}`); } catch {}
          }
          socket.disconnect();
          setTimeout(() => process.exit(), 300);
        });
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def socketio_ping_timeout(on):
    """A Socket.IO client's process hangs for five seconds; the server's ping times out."""
    server = await on.node(SOCKET_IO)
    client = await on.node("""
        import { io } from 'socket.io-client';
        const socket = io('http://127.0.0.1:8080', { transports: ['websocket'], reconnection: false });
        socket.on('connect', () => {
          socket.emit('save', 'draft 1', () => {});
          setTimeout(() => { const end = Date.now() + 5000; while (Date.now() < end); }, 1500);
          setTimeout(() => process.exit(), 7000);
        });
        socket.on('disconnect', () => process.exit());
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def socketio_server_busy(on):
    """A Socket.IO server computes for five seconds and sends no ping; its client gives it up after 2 s, and is
    answered when it is done."""
    server = await on.node("""
        import { Server } from 'socket.io';
        import { createServer } from 'node:http';
        const http = createServer();
        const io = new Server(http, { pingInterval: 1000, pingTimeout: 1000 });
        io.on('connection', () =>
          setTimeout(() => { const end = Date.now() + 5000; while (Date.now() < end); }, 1500));
        http.listen(8080, '127.0.0.1', () => console.log('ready'));
    """)
    client = await on.node("""
        import { io } from 'socket.io-client';
        const socket = io('http://127.0.0.1:8080', { transports: ['websocket'], reconnection: false });
        setTimeout(() => process.exit(), 8000);
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def mqtt_keep_alive(on):
    """A client of MQTT.js promises a packet every 2 s, and its process hangs; aedes gives it up after 3 s."""
    server = await on.node("""
        import aedes from 'aedes';
        import { createServer } from 'node:http';
        import { WebSocketServer, createWebSocketStream } from 'ws';
        const broker = aedes();
        const http = createServer();
        new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' }).on('connection', (socket) => {
          const stream = createWebSocketStream(socket);
          stream.on('error', () => {});
          broker.handle(stream);
        });
        http.listen(8080, '127.0.0.1', () => console.log('ready'));
    """)
    client = await on.node("""
        import mqtt from 'mqtt';
        const client = mqtt.connect('ws://127.0.0.1:8080/mqtt', { keepalive: 2, clientId: 'pump-17', reconnectPeriod: 0 });
        client.on('connect', () => {
          client.publish('pump/17', 'on', { qos: 1 });
          setTimeout(() => { const end = Date.now() + 5000; while (Date.now() < end); }, 500);
        });
        client.on('close', () => process.exit());
    """, ready=None)
    await on.finish(client)
    server.kill()


@incident
async def stomp_refused(on):
    """A STOMP server, by hand on npm ws, answers CONNECT with ERROR and closes with 1002, as RabbitMQ does;
    STOMP.js tries twice."""
    server = await on.node("""
        import { WebSocketServer } from 'ws';
        const server = new WebSocketServer({ port: 8080, handleProtocols: () => 'v12.stomp' }, () => console.log('ready'));
        server.on('connection', (socket) => socket.on('message', () => {
          socket.send('ERROR\\nmessage:Bad CONNECT\\ncontent-type:text/plain\\n\\nAccess refused for user guest\\n\\0');
          setTimeout(() => socket.close(1002), 20);
        }));
    """)
    client = await on.node("""
        import WebSocket from 'ws';
        globalThis.WebSocket = WebSocket;
        const { Client } = await import('@stomp/stompjs');
        const client = new Client({ brokerURL: 'ws://127.0.0.1:8080/stomp', reconnectDelay: 1500,
          connectHeaders: { login: 'guest', passcode: 'guest' } });
        client.activate();
        setTimeout(() => process.exit(), 2500);
    """, ready=None)
    await on.finish(client)
    server.kill()
