#!/usr/bin/env python3
"""Random compressed WebSocket sessions, made by zlib, which shares no code with wstool.

Usage: deflate_sessions.py SESSIONS SEED PCAP EXPECTED

Writes a capture of SESSIONS connections and, a line each, the messages both
endpoints sent: connection, endpoint, kind, length, SHA-1. Uses the standard library only.
"""

import base64
import hashlib
import random
import struct
import sys
import zlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Endpoint:
    """One direction: a compressor with its own window and takeover."""

    def __init__(self, rng, bits, takeover, masked):
        self.rng, self.bits, self.takeover, self.masked = rng, bits, takeover, masked
        self.history = b""
        self.level = rng.choice([0, 1, 3, 6, 9])
        self.strategy = rng.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_FILTERED])
        self.renew(b"")

    def renew(self, history):
        # zlib raises a raw window of 2^8 to 2^9, of which it uses no distance above 250.
        bits = -max(self.bits, 9)
        if history:
            self.zip = zlib.compressobj(self.level, zlib.DEFLATED, bits, 8, self.strategy, history)
        else:
            self.zip = zlib.compressobj(self.level, zlib.DEFLATED, bits, 8, self.strategy)

    def compress(self, data):
        rng = self.rng
        if not self.takeover:
            self.renew(b"")
        parts = []
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice([0, 0, 1, 3])))
        for start, end in zip([0] + cuts, cuts + [len(data)]):
            parts.append(self.zip.compress(data[start:end]))
            if end < len(data):
                parts.append(self.zip.flush(rng.choice([zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_BLOCK])))
        self.history = (self.history + data)[-(1 << self.bits):]
        if rng.random() < 0.1:
            # BFINAL = 1, then an empty stored block, whose last four bytes are stripped (RFC 7692 7.2.3.4).
            parts.append(self.zip.flush(zlib.Z_FINISH) + b"\x00")
            self.renew(self.history if self.takeover else b"")
            return b"".join(parts)
        parts.append(self.zip.flush(zlib.Z_FULL_FLUSH if rng.random() < 0.1 else zlib.Z_SYNC_FLUSH))
        whole = b"".join(parts)
        if not whole.endswith(b"\x00\x00\xff\xff"):
            # Nothing was pending, so zlib flushed nothing: an empty message is a single 00.
            return b"\x00" if not whole else whole + b"\x00"
        return whole[:-4]

    def frame(self, opcode, fin, rsv1, payload):
        head = bytes([fin << 7 | rsv1 << 6 | opcode])
        mask = 0x80 if self.masked else 0
        if len(payload) < 126:
            head += bytes([mask | len(payload)])
        elif len(payload) < 65536:
            head += struct.pack("!BH", mask | 126, len(payload))
        else:
            head += struct.pack("!BQ", mask | 127, len(payload))
        if not self.masked:
            return head + payload
        key = self.rng.randbytes(4)
        length = len(payload)
        pad = (key * (length // 4 + 1))[:length]
        mixed = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
        return head + key + mixed.to_bytes(length, "big")


def content(rng):
    size = rng.choice([0, 1, 5, rng.randrange(200), rng.randrange(200), rng.randrange(4000), rng.randrange(70001)])
    if rng.random() < 0.25:
        return 2, rng.randbytes(size)
    words = ["price", "中文", "{\"a\":1}", "€", "aaaaaaaaaaaaaaaa", "0123456789", "😀", " ", "\n"]
    text = "".join(rng.choices(words, k=size // 4 + 1)).encode()[:size]
    return 1, text.decode("utf-8", "ignore").encode()


class Capture:
    def __init__(self, out):
        self.out, self.clock = out, 1_700_000_000_000_000
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))

    def packet(self, source, target, seq, ack, flags, payload=b""):
        (a, ap), (b, bp) = source, target
        tcp = struct.pack("!HHIIBBHHH", ap, bp, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
        pseudo = a + b + struct.pack("!BBH", 0, 6, len(tcp) + len(payload))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + payload)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0) + a + b
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        data = ip + tcp + payload
        self.clock += 100
        self.out.write(struct.pack("<IIII", self.clock // 10**6, self.clock % 10**6, len(data), len(data)) + data)


def checksum(data):
    if len(data) % 2:
        data += b"\x00"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def session(number, rng, capture, expected):
    client = (bytes([10, 0, number >> 8 & 255, number & 255]), 1024 + number % 60000)
    server = (bytes([192, 168, 0, 1]), 8080)
    flows = {"client": [client, server, rng.getrandbits(32)], "server": [server, client, rng.getrandbits(32)]}

    def send(who, data, flags=0x18):
        source, target, seq = flows[who]
        other = flows["server" if who == "client" else "client"]
        size = rng.choice([60000, 1460, rng.randrange(100, 5000)])
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            capture.packet(source, target, flows[who][2], other[2], flags, piece)
            flows[who][2] += len(piece)

    capture.packet(client, server, flows["client"][2], 0, 2)
    flows["client"][2] += 1
    capture.packet(server, client, flows["server"][2], flows["client"][2], 0x12)
    flows["server"][2] += 1
    bits = {"client": rng.randrange(8, 16), "server": rng.randrange(8, 16)}
    takeover = {"client": rng.random() < 0.7, "server": rng.random() < 0.7}
    answer = "permessage-deflate"
    for who in ("client", "server"):
        if not takeover[who]:
            answer += f"; {who}_no_context_takeover"
        if bits[who] < 15 or rng.random() < 0.3 or (who == "server" and not takeover[who]):
            answer += f"; {who}_max_window_bits={bits[who]}"
    key = base64.b64encode(rng.randbytes(16))
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    offer = "permessage-deflate; client_max_window_bits; server_no_context_takeover; server_max_window_bits=15"
    if takeover["server"]:
        offer = "permessage-deflate; client_max_window_bits"
    send("client", (f"GET /{number} HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n"
                    f"Sec-WebSocket-Extensions: {offer}\r\n\r\n").encode())
    send("server", (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: {answer}\r\n\r\n").encode())
    ends = {who: Endpoint(rng, bits[who], takeover[who], who == "client") for who in ("client", "server")}
    for _ in range(rng.randrange(1, 9)):
        who = rng.choice(["client", "server"])
        end = ends[who]
        opcode, data = content(rng)
        expected.write(f"{number} {who} {opcode} {len(data)} {hashlib.sha1(data).hexdigest()}\n")
        compressed = rng.random() < 0.8
        payload = end.compress(data) if compressed else data
        cuts = sorted(rng.randrange(len(payload) + 1) for _ in range(rng.choice([0, 0, 0, 1, 2, 5])))
        edges = list(zip([0] + cuts, cuts + [len(payload)]))
        wire = b""
        for index, (start, stop) in enumerate(edges):
            first, last = index == 0, index == len(edges) - 1
            wire += end.frame(opcode if first else 0, last, compressed and first, payload[start:stop])
            if not last and rng.random() < 0.5:
                wire += end.frame(9, True, False, rng.randbytes(rng.randrange(126)))
        send(who, wire)
    for who in ("client", "server"):
        send(who, ends[who].frame(8, True, False, struct.pack("!H", 1000)))
    for who in ("server", "client"):
        send(who, b"", 0x11)
        source, target, seq = flows[who]
        capture.packet(source, target, seq, flows["client" if who == "server" else "server"][2], 0x11)


def main():
    sessions, seed, pcap, expected = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    rng = random.Random(seed)
    with open(pcap, "wb") as out, open(expected, "w", encoding="ascii") as lines:
        capture = Capture(out)
        for number in range(1, sessions + 1):
            session(number, rng, capture, lines)


main()
