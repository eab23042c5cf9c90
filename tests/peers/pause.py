"""Somebody at a terminal who is asked by `wstool proxy --pause`, and a client whose messages that is about.

pause.py LIBRARIES WSTOOL PORT

PORT is that of an echo server. Prints what the client got.
"""

import os
import pty
import re
import select
import signal
import sys
import time
from socket import create_connection

sys.path.insert(0, sys.argv[1])
from websockets.exceptions import ConnectionClosed  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

PATIENCE = 60
PROMPT = "pass> "
command = [sys.argv[2], "proxy", "--listen", "0", "--to", f"ws://127.0.0.1:{sys.argv[3]}", "--pause", "--view", "none"]
child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="xterm", NO_COLOR="1", LC_ALL="C.UTF-8")
    os.execv(command[0], command)
signal.signal(signal.SIGALRM, lambda *_: (os.kill(child, signal.SIGKILL), sys.exit(f"too late: {shown}")))
signal.alarm(PATIENCE)
shown = ""


def wait_for(words, since=0):
    """Waits until words are shown, and gives where they end."""
    global shown
    while words not in shown[since:]:
        if select.select([terminal], [], [], 1)[0]:
            shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(terminal, 65536).decode("utf-8", "replace"))
    return shown.index(words, since) + len(words)


def answer(about, line):
    """Waits for the question about a message, and answers it."""
    global place
    place = wait_for(about, place)
    place = wait_for(PROMPT, place)
    os.write(terminal, line.encode() + b"\r")


def socket_to(address):
    host, port = address.removeprefix("ws://").split(":")
    return create_connection((host, int(port)))


place = wait_for("listening on ")
wait_for(";", place)
address = re.search(r"ws://[0-9.:]+", shown[place:]).group()
wait_for("compression is taken out")
with connect(address, subprotocols=["chat"]) as socket:
    socket.send("one")
    answer("text message of the client, 3 bytes", "")
    answer("text message of the server, 3 bytes", "changed")
    print(socket.recv(), flush=True)
    socket.send("two")
    answer("text message of the client", "/drop")
    socket.send("three")
    answer("text message of the client, 5 bytes", "/nonsense")
    wait_for("is no command", place)
    answer("", "/answer no")
    print(socket.recv(), flush=True)
    socket.send("four")
    answer("text message of the client, 4 bytes", "/close 1011 enough")
    try:
        socket.recv()
    except ConnectionClosed as closed:
        print(closed.rcvd.code, closed.rcvd.reason, flush=True)
with socket_to(address) as poll:
    poll.sendall(b"GET /poll HTTP/1.1\r\nHost: a\r\n\r\n")
    answer("text message of the server, 16 bytes", "no upgrade")
    print(poll.recv(65536).decode().split("\r\n\r\n")[1], flush=True)
time.sleep(0.1)
os.kill(child, signal.SIGINT)
_, status = os.waitpid(child, 0)
print("exit", os.waitstatus_to_exitcode(status))
