"""A terminal of 80 columns and 24 rows, at whose prompt lines are typed.

prompt.py [LINE SHOWN]... -- COMMAND...

Waits for the prompt, types each LINE, or presses the key of one control character (with AT_ONCE in the environment all of it and Enter in one go, as an input
method or a lagging line delivers it), and fails unless SHOWN comes then. Prints all that was shown, and at the end
whether the terminal is as it was.
"""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 60
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

end = sys.argv.index("--")
typed, command = sys.argv[1:end], sys.argv[end + 1 :]
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
before = termios.tcgetattr(theirs)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
    for stream in range(3):
        os.dup2(theirs, stream)
    os.environ.update(TERM="xterm", NO_COLOR="1", LC_ALL="C.UTF-8")
    os.execvp(command[0], command)
raw = b""


def shown():
    text = ESCAPE.sub("", raw.decode("utf-8", "ignore"))
    return "\n".join(line.split("\r")[-1] for line in text.replace("\r\n", "\n").split("\n"))


def wait_for(is_there, what):
    global raw
    until = time.monotonic() + PATIENCE
    while not is_there():
        if time.monotonic() > until:
            os.kill(child, 9)
            sys.exit(f"{what!r} is not shown:\n{shown()}")
        if select.select([ours], [], [], 0.1)[0]:
            try:
                raw += os.read(ours, 65536)
            except OSError:
                pass


def prompts():
    return raw.count(b"\x1b[?2004h")


for line, words in zip(typed[::2], typed[1::2]):
    if len(line) == 1 and line < " ":
        os.write(ours, line.encode())
    elif line:
        count = prompts()
        at = len(raw)
        if "AT_ONCE" in os.environ:
            os.write(ours, line.encode() + b"\r")
        else:
            # As somebody types: each key is on the screen before the next is pressed.
            for length in range(1, len(line) + 1):
                os.write(ours, line[length - 1].encode())
                wait_for(lambda: shown().split("\n")[-1].endswith(line[:length]), line[:length])
            at = len(raw)
            os.write(ours, b"\r")
        wait_for(lambda: words in ESCAPE.sub("", raw[at:].decode("utf-8", "ignore")), words)
        if not words.startswith("closed"):
            wait_for(lambda: prompts() > count, "the prompt")
    else:
        wait_for(lambda: words in shown() and prompts() > 0, words)
status = None


def has_ended():
    global status
    ended, status = os.waitpid(child, os.WNOHANG)
    return ended != 0


wait_for(has_ended, "the end")
print(shown())
if termios.tcgetattr(theirs)[:4] == before[:4]:
    print("the terminal is as it was")
sys.exit(os.waitstatus_to_exitcode(status))
