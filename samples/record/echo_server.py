"""An echo server with Python `websockets`.

    python echo_server.py PORT
"""

import asyncio
import sys

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main(port):
    async with websockets.serve(echo, "127.0.0.1", port, subprotocols=["echo.v1"], ping_interval=0.5):
        print("ready", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1])))
