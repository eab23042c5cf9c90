"""Python websockets at an echo: messages of all sizes with these deflate options, a ping, and a close."""

import json
import sys

sys.path.insert(0, sys.argv[1])
from websockets.exceptions import ConnectionClosed  # noqa: E402
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

options = json.loads(sys.argv[3]) if len(sys.argv) > 3 else None
extensions = [ClientPerMessageDeflateFactory(**options)] if options is not None else []
text = "".join(f"line {n % 300} of {n * n}: 你好\n" for n in range(3000))
noise = bytes((n * 2654435761 >> 24) & 255 for n in range(70000))
messages = ["", "a", "hello " * 50, text, noise, "a", "hello " * 50]
with connect(
    sys.argv[2], extensions=extensions or None, compression=None, subprotocols=["mqtt", "chat"]
) as socket:
    agreed = socket.response.headers.get("Sec-WebSocket-Extensions", "")
    print(f"open {socket.subprotocol} {agreed}", flush=True)
    socket.ping("there?").wait()
    print("pong there?")
    count = 0
    for message in messages:
        socket.send(["frag", "ments"] if message == "a" else message)
        expected = "fragments" if message == "a" else message
        count += socket.recv() == expected
    socket.close(4000, "enough")
    try:
        socket.recv()
    except ConnectionClosed as closed:
        print(f"{count} messages, close {closed.rcvd.code}", flush=True)
