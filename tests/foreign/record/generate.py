"""generate.py NAME: speaks the byte format of a protocol whose programs are not at hand.

Each function gives the conversation, `C` and `S` with the bytes that this side writes at once,
in order. It is said over a real connection on loopback.
"""

import json
import random
import socket
import struct
import sys
import threading
import time

R = random.Random(sys.argv[1])
WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau".split()


def words(count):
    return " ".join(R.choice(WORDS) for _ in range(count)).encode()


def converse(steps):
    server = socket.create_server(("127.0.0.1", 9999))
    client = socket.create_connection(("127.0.0.1", 9999))
    served, _ = server.accept()
    for sock in (client, served):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def drain(sock):
        while sock.recv(65536):
            pass

    for sock in (client, served):
        threading.Thread(target=drain, args=(sock,), daemon=True).start()
    for who, data in steps:
        (client if who == "C" else served).sendall(data)
        time.sleep(0.003)
    client.shutdown(socket.SHUT_WR)
    served.shutdown(socket.SHUT_WR)
    time.sleep(0.1)


def l32(data, order=">"):
    return struct.pack(order + "I", len(data)) + data


# -- databases and queues


def bson(document):
    out = b""
    for key, value in document.items():
        key = key.encode() + b"\0"
        if isinstance(value, bool):
            out += b"\x08" + key + bytes([value])
        elif isinstance(value, int):
            out += b"\x10" + key + struct.pack("<i", value)
        elif isinstance(value, float):
            out += b"\x01" + key + struct.pack("<d", value)
        elif isinstance(value, str):
            out += b"\x02" + key + l32(value.encode() + b"\0", "<")
        elif isinstance(value, dict):
            out += b"\x03" + key + bson(value)
        else:
            out += b"\x04" + key + bson({str(i): v for i, v in enumerate(value)})
    return struct.pack("<i", len(out) + 5) + out + b"\0"


def mongodb():
    def message(number, to, document):
        body = struct.pack("<I", 0) + b"\0" + bson(document)
        return struct.pack("<iiii", 16 + len(body), number, to, 2013) + body

    for i in range(1, 30):
        yield "C", message(i, 0, {"find": "things", "filter": {"n": i, "w": words(2).decode()}, "$db": "test"})
        batch = [{"n": j, "text": words(j + 1).decode(), "x": j / 3} for j in range(i % 6)]
        yield "S", message(1000 + i, i, {"cursor": {"firstBatch": batch, "id": 0, "ns": "test.things"}, "ok": 1.0})


def kafka():
    def text(value):
        return struct.pack(">h", len(value)) + value

    def record():
        value = words(4)
        body = bytes([0, 0, 0, 1, len(value) * 2]) + value + b"\0"
        return bytes([len(body) * 2]) + body

    for i in range(30):
        head = struct.pack(">hhi", 3, 7, i) + text(b"client")
        yield "C", l32(head + struct.pack(">i", 1) + text(b"topic"))
        yield "S", l32(struct.pack(">iii", i, 0, 1) + struct.pack(">i", 1) + text(b"localhost") + struct.pack(">i", 9092))
        records = record()
        batch = struct.pack(">qiibIhiqqqhii", 0, 49 + len(records), 0, 2, R.getrandbits(32), 0, 0, 0, 0, -1, -1, -1, 1)
        yield "C", l32(struct.pack(">hhi", 0, 3, 100 + i) + text(b"client") + struct.pack(">hhi", -1, 1, 1500)
                       + struct.pack(">i", 1) + text(b"topic") + struct.pack(">ii", 1, 0) + l32(batch + records))
        yield "S", l32(struct.pack(">ii", 100 + i, 1) + text(b"topic") + struct.pack(">iihqq", 1, 0, 0, i, -1) + bytes(4))
        yield "C", l32(struct.pack(">hhi", 18, 0, 200 + i) + text(b"client"))
        yield "S", l32(struct.pack(">ih", 200 + i, 0) + struct.pack(">i", 20)
                       + b"".join(struct.pack(">hhh", k, 0, 9) for k in range(20)))


def cassandra():
    def frame(version, stream, op, body):
        return struct.pack(">BBhBI", version, 0, stream, op, len(body)) + body

    yield "C", frame(4, 0, 1, b"\0\1\0\x0bCQL_VERSION\0\x053.0.0")
    yield "S", frame(0x84, 0, 2, b"")
    for i in range(1, 30):
        query = b"SELECT * FROM t WHERE w = '" + words(2) + b"'"
        yield "C", frame(4, i, 7, l32(query) + b"\0\1\0")
        rows = b"".join(l32(struct.pack(">i", j)) + l32(words(3)) for j in range(i % 8))
        yield "S", frame(0x84, i, 8, struct.pack(">iii", 2, 1, 2) + b"\0\1k\0\1t\0\1n\0\x09\0\1s\0\x0d"
                         + struct.pack(">i", i % 8) + rows)
    yield "S", frame(0x84, -1, 12, b"\0\x0dSTATUS_CHANGE\0\2UP\x04\x7f\0\0\1\0\0\x23\x52")


def amqp():
    def frame(kind, channel, body):
        return struct.pack(">BHI", kind, channel, len(body)) + body + b"\xce"

    yield "C", b"AMQP\0\0\x09\1"
    yield "S", frame(1, 0, struct.pack(">HHBB", 10, 10, 0, 9) + l32(b"\x07productS" + l32(b"broker")) + l32(b"PLAIN")
                     + l32(b"en_US"))
    yield "C", frame(1, 0, struct.pack(">HH", 10, 11) + l32(b"") + b"\x05PLAIN" + l32(b"\0guest\0guest") + b"\x05en_US")
    yield "S", frame(1, 0, struct.pack(">HHHIH", 10, 30, 2047, 131072, 60))
    yield "C", frame(1, 0, struct.pack(">HHHIH", 10, 31, 2047, 131072, 60)) + frame(1, 0, struct.pack(">HH", 10, 40) + b"\1/\0\0")
    yield "S", frame(1, 0, struct.pack(">HH", 10, 41) + b"\0")
    for i in range(25):
        body = words(5)
        yield "C", (frame(1, 1, struct.pack(">HHH", 60, 40, 0) + b"\0\x05queue\0")
                    + frame(2, 1, struct.pack(">HHQH", 60, 0, len(body), 0x1000) + b"\2") + frame(3, 1, body))
        yield "S", frame(1, 1, struct.pack(">HH", 60, 60) + b"\3tag" + struct.pack(">QB", i, 0) + b"\0\x05queue")
        yield "S", frame(2, 1, struct.pack(">HHQH", 60, 0, len(body), 0)) + frame(3, 1, body)
        yield "C", frame(8, 0, b"")
        yield "S", frame(8, 0, b"")


def mssql():
    for i in range(20):
        batch = ("select * from t where s = '" + words(3).decode() + "'").encode("utf-16le")
        yield "C", struct.pack(">BBHHBB", 1, 1, 8 + len(batch), 0, 1, 0) + batch
        row = b"".join(b"\xd1" + struct.pack("<i", j) + struct.pack("<H", 10) + "value".encode("utf-16le") for j in range(i))
        yield "S", struct.pack(">BBHHBB", 4, 1, 8 + len(row) + 13, 51, 1, 0) + row + struct.pack("<BHHQ", 0xFD, 0x10, 0xC1, i)


def msgpack_rpc():
    for i in range(40):
        text = words(2)[:31]
        yield "C", b"\x94\0" + bytes([i]) + b"\xa4echo\x91" + bytes([0xA0 | len(text)]) + text
        yield "S", b"\x94\1" + bytes([i]) + b"\xc0\x82\xa1n" + bytes([i]) + b"\xa1s" + bytes([0xA0 | len(text)]) + text


# -- devices and industry


def ber_length(data):
    return (bytes([len(data)]) if len(data) < 128 else b"\x82" + struct.pack(">H", len(data))) + data


def tpkt(data):
    return struct.pack(">BBH", 3, 0, 4 + len(data)) + data


def s7comm():
    yield "C", tpkt(b"\x11\xe0\0\0\0\1\0\xc1\2\1\0\xc2\2\1\2\xc0\1\x0a")
    yield "S", tpkt(b"\x11\xd0\0\1\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2")
    for i in range(40):
        item = struct.pack(">BBBBHHB", 0x12, 0x0A, 0x10, 2, 8, 1, 0x84) + struct.pack(">I", i * 64)[1:]
        yield "C", tpkt(b"\2\xf0\x80" + struct.pack(">BBHHHH", 0x32, 1, 0, i, 14, 0) + b"\4\1" + item)
        yield "S", tpkt(b"\2\xf0\x80" + struct.pack(">BBHHHHBB", 0x32, 3, 0, i, 2, 12, 0, 0) + b"\4\1\xff\4\0\x40" + R.randbytes(8))


def mms():
    yield "C", tpkt(b"\x11\xe0\0\0\0\1\0\xc0\1\x0d\xc2\2\0\1\xc1\2\0\0")
    yield "S", tpkt(b"\x11\xd0\0\1\0\1\0\xc0\1\x0d\xc2\2\0\1\xc1\2\0\0")
    for i in range(40):
        name = words(3).replace(b" ", b"$")
        request = b"\xa4" + ber_length(b"\xa1" + ber_length(b"\xa0" + ber_length(b"\x1a" + ber_length(name))))
        pdu = b"\xa0" + ber_length(b"\2\1" + bytes([i]) + request)
        yield "C", tpkt(b"\2\xf0\x80\1\0\1\0\x61" + ber_length(b"\x30" + ber_length(b"\2\1\3\xa0" + ber_length(pdu))))
        answer = b"\xa4" + ber_length(b"\xa1" + ber_length(b"\x86\2" + struct.pack(">H", i * 7)))
        pdu = b"\xa1" + ber_length(b"\2\1" + bytes([i]) + answer)
        yield "S", tpkt(b"\2\xf0\x80\1\0\1\0\x61" + ber_length(b"\x30" + ber_length(b"\2\1\3\xa0" + ber_length(pdu))))


def iec104():
    def apdu(body):
        return b"\x68" + bytes([len(body)]) + body

    yield "C", apdu(b"\7\0\0\0")
    yield "S", apdu(b"\x0b\0\0\0")
    for i in range(50):
        yield "S", apdu(struct.pack("<HH", i * 2, 2) + struct.pack("<BBBBHHBf", 13, 1, 3, 0, 1, i + 1, 0, i * 1.5) + b"\0")
        if i % 4 == 3:
            yield "C", apdu(b"\1\0" + struct.pack("<H", i * 2))
        if i % 10 == 9:
            yield "C", apdu(b"\x43\0\0\0")
            yield "S", apdu(b"\x83\0\0\0")


def dnp3():
    for i in range(40):
        yield "C", b"\x05\x64" + struct.pack("<BBHHH", 11, 0xC4, 10, 1, R.getrandbits(16)) + bytes([0xC0 | i % 16, 0xC0 | i % 16, 1, 60, 2, 6]) + R.randbytes(2)
        yield "S", b"\x05\x64" + struct.pack("<BBHHH", 18, 0x44, 1, 10, R.getrandbits(16)) + bytes([0xC0 | i % 16, 0xE0 | i % 16, 0x81, 0, 0, 1, 2, 0, i, i, 1, 0x81, 0]) + R.randbytes(2)


def opcua():
    for i in range(40):
        body = struct.pack("<IIII", 1, 1, i, i) + b"\1\0\x77\2" + R.randbytes(20) + l32(words(2), "<")
        yield "C", b"MSGF" + struct.pack("<I", 8 + len(body)) + body
        body = struct.pack("<IIII", 1, 1, i, i) + b"\1\0\x7a\2" + struct.pack("<dI", i / 7, 0) + l32(words(4), "<")
        yield "S", b"MSGF" + struct.pack("<I", 8 + len(body)) + body


def can_over_tcp():
    # Frames of fixed size as SocketCAN has them.
    for i in range(200):
        yield "CS"[i % 2], struct.pack("<IB3x8s", R.choice([0x100, 0x181, 0x7E8]), 8, R.randbytes(8))


def diameter():
    def message(flags, code, avps):
        body = b"".join(struct.pack(">II", n, 0x40 << 24 | 8 + len(v)) + v + b"\0" * (-len(v) % 4) for n, v in avps)
        return struct.pack(">IIIII", 1 << 24 | 20 + len(body), flags << 24 | code, 0, R.getrandbits(32), 7) + body

    for i in range(30):
        yield "C", message(0x80, 272, [(263, b"session;%d" % i), (264, b"a.example"), (296, b"example"), (415, struct.pack(">I", i))])
        yield "S", message(0, 272, [(263, b"session;%d" % i), (268, struct.pack(">I", 2001)), (264, b"b.example")])
        yield "C", message(0x80, 280, [(264, b"a.example")])
        yield "S", message(0, 280, [(268, struct.pack(">I", 2001))])


# -- media and desktops


def rtmp():
    yield "C", b"\3" + bytes(8) + R.randbytes(1528)
    yield "S", b"\3" + bytes(8) + R.randbytes(1528) + bytes(8) + R.randbytes(1528)
    yield "C", bytes(8) + R.randbytes(1528)

    def string(text):
        return b"\2" + struct.pack(">H", len(text)) + text

    body = string(b"connect") + b"\0\x3f\xf0\0\0\0\0\0\0\3\0\3app" + string(b"live") + b"\0\0\x09"
    yield "C", b"\3\0\0\0\0" + struct.pack(">I", len(body))[1:] + b"\x14\0\0\0\0" + body
    yield "S", b"\2\0\0\0\0\0\0\4\5\0\0\0\0\0\x26\x25\xa0\2\0\0\0\0\0\5\6\0\0\0\0\0\x26\x25\xa0\2"
    body = string(b"_result") + b"\0\x3f\xf0\0\0\0\0\0\0\5"
    yield "S", b"\3\0\0\0\0" + struct.pack(">I", len(body))[1:] + b"\x14\0\0\0\0" + body
    for i in range(40):
        audio = b"\xaf\1" + R.randbytes(60)
        yield "C", b"\x44\0\0\x17" + struct.pack(">I", len(audio))[1:] + b"\x08" + audio
        video = b"\x27\1\0\0\0" + l32(R.randbytes(100))
        yield "C", b"\x46\0\0\x21" + struct.pack(">I", len(video))[1:] + b"\x09" + video
        if i % 10 == 0:
            yield "S", b"\x42\0\0\0\0\0\4\3" + struct.pack(">I", i * 200)


def rtsp_interleaved():
    for i, method in enumerate(["OPTIONS", "DESCRIBE", "SETUP", "PLAY"], 1):
        yield "C", f"{method} rtsp://camera/stream RTSP/1.0\r\nCSeq: {i}\r\n\r\n".encode()
        yield "S", f"RTSP/1.0 200 OK\r\nCSeq: {i}\r\nSession: 1234\r\n\r\n".encode()
    for i in range(80):
        rtp = struct.pack(">BBHII", 0x80, 96 | (i % 5 == 0) << 7, i, i * 3000, 0x1234) + R.randbytes(90)
        yield "S", b"$\0" + struct.pack(">H", len(rtp)) + rtp
        if i % 10 == 9:
            report = struct.pack(">BBHIIQIII", 0x80, 200, 6, 0x1234, 1, R.getrandbits(64) & 0xFFFFFFFF, 0, i, i)[:28]
            yield "S", b"$\1" + struct.pack(">H", len(report)) + report
            yield "C", b"$\1\0\x08\x80\xc9\0\1\0\0\x12\x34"


def rdp():
    yield "C", tpkt(b"\x0e\xe0\0\0\0\0\0\1\0\x08\0\x0b\0\0\0")
    yield "S", tpkt(b"\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\0\0\0\0")
    for i in range(60):
        # Fast-path: an action byte, a length of one or two bytes.
        data = R.randbytes(10 + i * 3)
        length = len(data) + 3
        yield "S", b"\0" + struct.pack(">H", 0x8000 | length) + data
        yield "C", b"\x44\x04\0" + bytes([i]) if i % 3 == 0 else b"\x44\x0a\x20\x00\x08" + struct.pack("<HH", i * 5, i * 3) + b"\0"


def minecraft():
    def varint(n):
        out = b""
        while n > 127:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])

    def packet(body):
        return varint(len(body)) + body

    yield "C", packet(b"\0" + varint(765) + packet(b"localhost") + struct.pack(">H", 25565) + b"\2")
    yield "C", packet(b"\0" + packet(b"player") + R.randbytes(16))
    yield "S", packet(b"\2" + R.randbytes(16) + packet(b"player") + b"\0")
    for i in range(60):
        yield "S", packet(b"\x27" + varint(i * 300) + R.randbytes(R.choice([5, 40, 130, 300])))
        yield "C", packet(b"\x17" + struct.pack(">dddB", i, 64, -i, 1))
        yield "S", packet(b"\x24" + struct.pack(">q", i))
        yield "C", packet(b"\x15" + struct.pack(">q", i))


def irc():
    yield "C", b"NICK a\r\nUSER a 0 * :a\r\n"
    yield "S", b":server 001 a :Welcome\r\n"
    for i in range(60):
        yield "S", b":b!b@host PRIVMSG #room :" + words(6) + b"\r\n"
        yield "C", b"PRIVMSG #room :" + words(4) + b"\r\n"
        if i % 9 == 0:
            yield "S", b"PING :server\r\n"
            yield "C", b"PONG :server\r\n"


def telnet():
    yield "S", b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27"
    yield "C", b"\xff\xfb\x18\xff\xfc\x20\xff\xfc\x23\xff\xfb\x27"
    yield "S", b"\xff\xfa\x18\1\xff\xf0\xff\xfb\3\xff\xfd\1\xff\xfb\5"
    yield "C", b"\xff\xfa\x18\0XTERM\xff\xf0\xff\xfd\3\xff\xfc\1\xff\xfe\5"
    yield "S", b"login: "
    for _ in range(12):
        for key in words(2):
            yield "C", bytes([key])
            yield "S", bytes([key])
        yield "C", b"\r\0"
        yield "S", b"\r\n\x1b[1m" + words(12) + b"\x1b[0m\r\n$ "


def fix():
    for i in range(50):
        for who in "CS":
            body = b"35=D\x0149=A\x0156=B\x0134=%d\x0155=%s\x0144=%d.5\x01" % (i, words(1), i)
            text = b"8=FIX.4.4\x019=%d\x01" % len(body) + body
            yield who, text + b"10=%03d\x01" % (sum(text) % 256)


# -- upgrades that lead elsewhere


def upgrade(protocol, answer="UPGRADED"):
    connection = "Upgrade"
    return [
        ("C", f"POST /v1.44/exec/abc/start HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
              f"Connection: {connection}\r\nUpgrade: {protocol}\r\n\r\n{{}}".encode()),
        ("S", f"HTTP/1.1 101 {answer}\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: {connection}\r\n"
              f"Upgrade: {protocol}\r\n\r\n".encode()),
    ]


def docker_upgrade():
    yield from upgrade("tcp")
    for i in range(40):
        yield "C", words(2) + b"\n"
        text = words(10) + b"\r\n"
        yield "S", bytes([1 + i % 2, 0, 0, 0]) + l32(text)


def spdy_upgrade():
    yield from upgrade("SPDY/3.1", "Switching Protocols")
    for i in range(1, 40, 2):
        yield "C", struct.pack(">HHI", 0x8003, 1, 1 << 24 | 18 + i) + struct.pack(">IIH", i, 0, 0) + R.randbytes(8 + i)
        yield "S", struct.pack(">HHI", 0x8003, 2, 12) + struct.pack(">I", i) + R.randbytes(8)
        data = words(20)
        yield "S", struct.pack(">II", i, 1 << 24 | len(data)) + data
        yield "C", struct.pack(">HHII", 0x8003, 6, 4, i)


def tls_upgrade():
    # RFC 2817: what follows looks random.
    yield from upgrade("TLS/1.2", "Switching Protocols")
    for i in range(40):
        data = R.randbytes(20 + i * 5)
        yield "CS"[i % 2], b"\x17\3\3" + struct.pack(">H", len(data)) + data


def fastcgi():
    def record(kind, body):
        return struct.pack(">BBHHBB", 1, kind, 1, len(body), -len(body) % 8, 0) + body + b"\0" * (-len(body) % 8)

    for i in range(15):
        pairs = b"".join(bytes([len(k), len(v)]) + k + v for k, v in [(b"REQUEST_METHOD", b"GET"), (b"SCRIPT_NAME", b"/" + words(1)), (b"N", b"%d" % i)])
        yield "C", record(1, b"\0\1\1" + bytes(5)) + record(4, pairs) + record(4, b"") + record(5, b"")
        yield "S", record(6, b"Content-Type: text/plain\r\n\r\n" + words(60)) + record(6, b"") + record(3, bytes(8))


# -- bytes without a name


def peer_wire():
    info = R.randbytes(20)
    yield "C", b"\x13BitTorrent protocol" + bytes(8) + info + b"-XX0001-" + R.randbytes(12)
    yield "S", b"\x13BitTorrent protocol" + bytes(8) + info + b"-XX0002-" + R.randbytes(12)
    yield "S", l32(b"\5" + b"\xff" * 40) + l32(b"\1")
    yield "C", l32(b"\2")
    for i in range(30):
        yield "C", b"".join(l32(b"\6" + struct.pack(">III", i, j * 256, 256)) for j in range(3))
        for j in range(3):
            yield "S", l32(b"\7" + struct.pack(">II", i, j * 256) + R.randbytes(100))
        yield "C", l32(b"\4" + struct.pack(">I", i)) + l32(b"")
        yield "S", l32(b"")


def lengths_32_big():
    for i in range(150):
        yield "CS"[i % 2], l32(words(R.choice([1, 2, 5, 30])))


def lengths_32_little():
    for i in range(150):
        yield "CS"[i % 2], l32(R.randbytes(R.choice([1, 2, 20, 130])), "<")


def lengths_16_big():
    for i in range(150):
        data = R.randbytes(R.choice([1, 3, 40, 126, 300]))
        yield "CS"[i % 2], struct.pack(">H", len(data)) + data


def lengths_8():
    for i in range(150):
        data = words(R.choice([1, 3, 10]))[:255]
        yield "CS"[i % 2], bytes([len(data)]) + data


def types_and_lengths():
    # One byte of type, one of length: what a frame of WebSocket also begins with.
    for i in range(150):
        data = words(R.choice([1, 3, 10]))[:120]
        yield "CS"[i % 2], bytes([R.choice([1, 2, 3, 0x10, 0x20]), len(data)]) + data


def varints():
    for i in range(150):
        data = b"\x08" + bytes([i & 127]) + b"\x12" + bytes([5]) + b"hello" + b"\x1a\2" + R.randbytes(2)
        yield "CS"[i % 2], bytes([len(data)]) + data


def json_lines():
    for i in range(100):
        yield "CS"[i % 2], json.dumps({"jsonrpc": "2.0", "id": i, "method": words(1).decode(), "params": [i, words(2).decode()]}).encode() + b"\n"


def netstrings():
    for i in range(100):
        data = words(R.choice([1, 3, 10]))
        yield "CS"[i % 2], b"%d:%s," % (len(data), data)


def random_bytes():
    for i in range(150):
        yield "CS"[i % 2], R.randbytes(R.choice([1, 2, 10, 60, 200]))


def random_one_way():
    for _ in range(9):
        yield "S", R.randbytes(1400)


def random_tiny():
    for i in range(190):
        yield "CS"[i % 2], R.randbytes(R.choice([1, 2, 3, 4, 5, 6, 7, 8]))


def zeros():
    for i in range(150):
        yield "CS"[i % 2], bytes(R.choice([1, 2, 4, 8, 100, 1400]))


def ones():
    for i in range(150):
        yield "CS"[i % 2], b"\xff" * R.choice([1, 2, 4, 8, 100, 1400])


def counters():
    for i in range(190):
        yield "CS"[i % 2], struct.pack(R.choice([">I", "<I", ">Q", "<Q", ">H"]), i)


def utf16_text():
    for i in range(100):
        yield "CS"[i % 2], (words(6).decode() + "\n").encode("utf-16le")


def samples_16_bit():
    import math

    for i in range(60):
        yield "S", b"".join(struct.pack("<h", int(9000 * math.sin((i * 80 + j) / 7))) for j in range(80))


def keystrokes():
    for i in range(190):
        yield "CS"[i % 2], R.choice([b"a", b"\r", b"\x1b[A", b"\x7f", b"\x03", b"\xc3\xa9", b"\x81", b"\x88\x00"][:6])


converse(globals()[sys.argv[1]]())
