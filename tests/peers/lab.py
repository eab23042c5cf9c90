"""A client that listens to a lab's server and says what it is told: lab.py LIBRARIES ws URL"""
import asyncio
import sys

sys.path.insert(0, sys.argv[1])
import websockets  # noqa: E402


async def listen(url):
    async with websockets.connect(url) as socket:
        print("open", flush=True)
        await socket.send("from websockets")
        async for text in socket:
            print(f"message {text}", flush=True)
            if text == "last":
                await socket.close(1000)
    print(f"close {socket.close_code}", flush=True)


asyncio.run(listen(sys.argv[3]))
