"""aiohttp at an echo: messages of all sizes with this size of a deflate window, a ping, and a close."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1])
from aiohttp import ClientSession, WSMsgType  # noqa: E402

text = "".join(f"line {n % 300} of {n * n}: 你好\n" for n in range(3000))
noise = bytes((n * 2654435761 >> 24) & 255 for n in range(70000))
messages = ["", "fragments", "hello " * 50, text, noise, "fragments", "hello " * 50]


async def main():
    compress = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    async with ClientSession() as session:
        opening = session.ws_connect(
            sys.argv[2], protocols=["mqtt", "chat"], compress=compress, autoping=False, max_msg_size=0
        )
        async with opening as socket:
            print(f"open {socket.protocol} {'deflate' if socket.compress else ''}", flush=True)
            await socket.ping(b"there?")
            pong = await socket.receive()
            print("pong", pong.data.decode() if pong.type == WSMsgType.PONG else pong)
            count = 0
            for message in messages:
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
                count += (await socket.receive()).data == message
            await socket.close(code=4000, message=b"enough")
            print(f"{count} messages, close {socket.close_code}", flush=True)


asyncio.run(main())
