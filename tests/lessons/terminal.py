"""A terminal of 80 columns and 24 rows, at which a learner answers questions.

terminal.py PROMPT PAGER HINT [ANSWER SHOWN]... -- COMMAND...

Waits for PROMPT, types each ANSWER, and fails unless the screen that comes then shows SHOWN; where the
pager's prompt PAGER stands at its end, the screen says HINT, and the rest is paged through.
"""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import unicodedata

COLUMNS, ROWS = 80, 24
# Escape sequences, which change nothing but colours here, but for those that clear a line.
ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>()][0-9A-B]?|\][^\x07]*\x07)")


class Screen:
    def __init__(self):
        self.lines, self.column = [""], 0

    def write(self, text):
        at = 0
        while at < len(text):
            escape = ESCAPE.match(text, at)
            if escape:
                if escape.group().endswith("K"):
                    self.lines[-1] = self.lines[-1][: self.column]
                at = escape.end()
                continue
            self.put(text[at])
            at += 1

    def put(self, char):
        if char == "\n":
            self.lines.append("")
            self.column = 0
        elif char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(self.column - 1, 0)
        elif char >= " ":
            width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in self.lines[-1][: self.column])
            if width >= COLUMNS:
                self.put("\n")
            line = self.lines[-1]
            self.lines[-1] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1

    def shown(self):
        return self.lines[-ROWS:]


def main():
    prompt, pager, hint, *rest = sys.argv[1:]
    end = rest.index("--")
    said, command = rest[:end], rest[end + 1 :]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", NO_COLOR="1")
        for name in ["LESS", "PAGER", "LINES", "COLUMNS"]:
            os.environ.pop(name, None)
        # The size is there before the command looks.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvp(command[0], command)
    screen = Screen()
    pending = b""

    def read():
        """What comes until nothing does for a moment; false at its end."""
        nonlocal pending
        wait = 5
        while select.select([terminal], [], [], wait)[0]:
            try:
                pending += os.read(terminal, 65536)
            except OSError:
                return False
            text = pending.decode("utf-8", "ignore")
            # A character or an escape may be cut.
            if len(text.encode()) == len(pending) and not re.search(r"\x1b[^A-Za-z]*$", text):
                screen.write(text)
                pending = b""
            wait = 0.2
        return True

    def fail(why):
        print(why, *screen.shown(), sep="\n")
        os.kill(child, 9)
        sys.exit(1)

    def page():
        """Until the tool asks, or has ended."""
        for times in range(9):
            last = [line for line in screen.shown() if line][-1]
            if prompt.strip() in last:
                return
            if pager in last:
                if times == 0 and hint not in "".join(screen.shown()):
                    fail(f"{hint!r} is not on the screen:")
                os.write(terminal, b" ")
            if not read():
                return
        fail(f"neither {prompt!r} nor {pager!r} stands at the end of")

    read()
    page()
    for answer, shown in zip(said[::2], said[1::2]):
        os.write(terminal, answer.encode() + b"\r")
        read()
        joined = "".join(line for line in screen.shown())
        if shown.replace(" ", "") not in joined.replace(" ", ""):
            fail(f"{shown!r} is not on the screen:")
        page()


main()
