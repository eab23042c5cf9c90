"""A client and a server that speak WebSocket over TLS of a forced version and suite, in one process.

python3 pair.py VERSION SUITE PORT KEYLOG [alert]

VERSION is 1.3 or 1.2, SUITE is what OpenSSL calls it (of TLS 1.2 only). `alert` has the client send bytes that are no
record of its own. Wanted: cert.pem and key.pem of chat.example.com, as
  openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=chat.example.com -days 3650
makes them. Recorded with tshark -i lo -w FILE.pcapng, the key log put in by
editcap --inject-secrets tls,KEYLOG FILE.pcapng OUT.pcapng, and the names of machine and programs taken out.
"""

import base64
import hashlib
import os
import socket
import ssl
import struct
import sys
import threading
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION, SUITE, PORT, KEYLOG = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]


def frame(opcode, payload, masked):
    head = bytes([0x80 | opcode])
    mask = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([mask | len(payload)])
    else:
        head += bytes([mask | 126]) + struct.pack(">H", len(payload))
    if masked:
        key = os.urandom(4)
        head += key
        payload = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    return head + payload


def exactly(stream, count):
    got = b""
    while len(got) < count:
        more = stream.recv(count - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def read_frame(stream):
    head = exactly(stream, 2)
    length = head[1] & 127
    if length == 126:
        length = struct.unpack(">H", exactly(stream, 2))[0]
    key = exactly(stream, 4) if head[1] & 128 else bytes(4)
    payload = exactly(stream, length)
    return head[0] & 15, bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def read_head(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += stream.recv(1)
    return head


server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("cert.pem", "key.pem")
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.check_hostname = False
client.verify_mode = ssl.CERT_NONE
client.keylog_filename = KEYLOG
version = ssl.TLSVersion.TLSv1_3 if VERSION == "1.3" else ssl.TLSVersion.TLSv1_2
for context in (server, client):
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["http/1.1"])
    if VERSION == "1.2":
        context.set_ciphers(SUITE + ":@SECLEVEL=0")

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(1)


def serve():
    plain, _ = listener.accept()
    stream = server.wrap_socket(plain, server_side=True)
    lines = read_head(stream).split(b"\r\n")
    key = [line.split(b": ")[1] for line in lines if line.lower().startswith(b"sec-websocket-key")][0]
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    stream.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    opcode = None
    while opcode != 8:
        try:
            opcode, payload = read_frame(stream)
        except (OSError, EOFError):
            time.sleep(0.1)
            return
        stream.sendall(frame(opcode, payload, False))
    stream.close()


thread = threading.Thread(target=serve)
thread.start()
stream = client.wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="chat.example.com")
stream.sendall(
    b"GET /chat HTTP/1.1\r\nHost: chat.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
read_head(stream)
if "alert" in sys.argv:
    stream.sendall(frame(1, b"before", True))
    read_frame(stream)
    raw = socket.socket(fileno=os.dup(stream.fileno()))
    raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    time.sleep(0.3)
    os._exit(0)
for opcode, payload in [
    (1, b"Hello over TLS"),
    (9, b"ping"),
    (2, bytes(range(256)) * 12),
    (1, "你好".encode()),
    (8, b"\x03\xe8bye"),
]:
    stream.sendall(frame(opcode, payload, True))
    read_frame(stream)
stream.close()
thread.join()
