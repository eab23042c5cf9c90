"""Somebody in the chat room, with Python `websockets`.

    python chat_client.py PORT NAME [deflate] [long]
"""

import asyncio
import sys

import websockets


async def main(port, name, compression, greeting):
    url = f"ws://127.0.0.1:{port}/chat?name={name}"
    async with websockets.connect(url, compression=compression) as socket:

        async def listen():
            async for message in socket:
                print(f"{name} hears: {message}", flush=True)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.4)
        await socket.send(greeting)
        # An iterator of pieces becomes a message in fragments.
        await asyncio.sleep(0.3)
        await socket.send(["This message ", "is sent ", "in three fragments"])
        await asyncio.sleep(0.3)
        await (await socket.ping(b"ping from Python"))
        await asyncio.sleep(0.3)
    await listening


port, name, *rest = sys.argv[1:]
greeting = "I have a lot to say today. " * 12 if "long" in rest else "早上好！ Good morning"
asyncio.run(main(port, name, "deflate" if "deflate" in rest else None, greeting))
