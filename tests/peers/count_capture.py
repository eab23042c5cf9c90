#!/usr/bin/env python3
"""Counts the bytes of captures from tshark's fields, which shares no code with wstool.

Usage: count_capture.py PCAP...

Prints a JSON object: for HTTP and for WebSocket connections the numbers that
`wstool compare` counts. Uses tshark and the standard library only; HTTP bodies
have a Content-Length here.
"""

import json
import subprocess
import sys

FIELDS = ["tcp.stream", "tcp.srcport", "ip.hdr_len", "tcp.hdr_len", "tcp.len", "tcp.seq_raw",
          "tcp.flags.syn", "tcp.flags.fin", "tcp.flags.reset", "tcp.payload"]


def packets(path):
    command = ["tshark", "-r", path, "-Y", "tcp", "-T", "fields", "-E", "separator=|"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        yield dict(zip(FIELDS, line.split("|")))


def true(text):
    return text in ("1", "True")


def heads_and_bodies(stream):
    """The heads and bodies of one direction; what is behind a 101 or an Upgrade is left over."""
    found = []
    while b"\r\n\r\n" in stream:
        head, rest = stream.split(b"\r\n\r\n", 1)
        fields = dict((k.strip().lower(), v.strip()) for k, _, v in
                      (line.partition(b":") for line in head.split(b"\r\n")[1:]))
        length = int(fields.get(b"content-length", b"0"))
        found.append((len(head) + 4, length))
        stream = rest[length:]
        if fields.get(b"upgrade", b"").lower() == b"websocket":
            break
    return found, stream


def frames(stream):
    """Bytes of data and of everything else, and messages."""
    data = other = messages = 0
    while len(stream) >= 2:
        opcode, length, header = stream[0] & 15, stream[1] & 127, 2
        if length == 126:
            length, header = int.from_bytes(stream[2:4], "big"), 4
        elif length == 127:
            length, header = int.from_bytes(stream[2:10], "big"), 10
        if stream[1] & 128:
            header += 4
        other += header
        if opcode < 8:
            data += length
            messages += stream[0] >> 7
        else:
            other += length
        stream = stream[header + length:]
    assert not stream, "a frame is cut"
    return data, other, messages


def count(path, sums):
    flows = {}
    for p in packets(path):
        flow = flows.setdefault(p["tcp.stream"], {"sides": {}, "n": dict.fromkeys(
            ["headers", "acks", "ack_bytes", "opening_bytes", "resent_bytes"], 0)})
        headers = int(p["ip.hdr_len"]) + int(p["tcp.hdr_len"])
        length = int(p["tcp.len"])
        side = flow["sides"].setdefault(p["tcp.srcport"], {})
        n = flow["n"]
        if length == 0:
            if any(true(p["tcp.flags." + f]) for f in ("syn", "fin", "reset")):
                n["opening_bytes"] += headers
            else:
                n["acks"] += 1
                n["ack_bytes"] += headers
        elif int(p["tcp.seq_raw"]) in side:
            n["resent_bytes"] += headers + length
        else:
            n["headers"] += headers
            side[int(p["tcp.seq_raw"])] = bytes.fromhex(p["tcp.payload"].replace(":", ""))
    for flow in flows.values():
        n = flow["n"]
        n.update(connections=1, application=0, heads=0, framing=0, requests=0, empty=0, messages=0)
        upgraded = False
        for side in flow["sides"].values():
            stream = b"".join(side[seq] for seq in sorted(side))
            answers = stream.startswith(b"HTTP/")
            upgraded |= stream.startswith(b"HTTP/1.1 101")
            found, rest = heads_and_bodies(stream)
            n["heads"] += sum(head for head, _ in found)
            n["application"] += sum(body for _, body in found)
            n["messages"] += sum(1 for _, body in found if body)
            n["requests"] += 0 if answers else len(found)
            n["empty"] += sum(1 for _, body in found if answers and not body)
            if rest:
                data, other, messages = frames(rest)
                n["application"] += data
                n["framing"] += other
                n["messages"] += messages
        if upgraded:
            n["empty"] = 0
        total = sums.setdefault("WebSocket" if upgraded else "HTTP polling", {})
        for key, value in n.items():
            total[key] = total.get(key, 0) + value


def main():
    sums = {}
    for path in sys.argv[1:]:
        count(path, sums)
    for n in sums.values():
        n["total"] = sum(n[key] for key in
                         ("application", "heads", "framing", "headers", "ack_bytes", "opening_bytes", "resent_bytes"))
    print(json.dumps(sums, indent=1, sort_keys=True))


main()
