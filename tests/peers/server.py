"""Python websockets as a server: prints its port, answers every message with itself."""

import sys

sys.path.insert(0, sys.argv[1])
from websockets.sync.server import serve  # noqa: E402


def echo(socket):
    print("open", flush=True)
    for message in socket:
        socket.send(message)


with serve(echo, "127.0.0.1", 0, subprotocols=["chat"]) as server:
    print(server.socket.getsockname()[1], flush=True)
    server.serve_forever()
