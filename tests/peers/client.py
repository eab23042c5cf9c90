"""Python websockets as a client: opens the URL, says hello and goodbye, or says why not."""

import sys

sys.path.insert(0, sys.argv[1])
from websockets.sync.client import connect  # noqa: E402

try:
    with connect(sys.argv[2], subprotocols=sys.argv[3:] or None) as socket:
        print("open", flush=True)
        socket.send("hello from websockets")
except Exception as error:
    print(f"error {type(error).__name__}: {error}", flush=True)
