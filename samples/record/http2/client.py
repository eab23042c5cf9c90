"""A client of WebSockets over HTTP/2 by Python's h2 and wsproto: padding, CONTINUATION, small frames, priority."""

import socket
import sys

import h2.config
import h2.connection
import h2.events
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

port = int(sys.argv[1])
sock = socket.create_connection(("127.0.0.1", port))
conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
conn.initiate_connection()
sock.sendall(conn.data_to_send())
inbox = {}
answers = {}


def pump():
    data = sock.recv(65536)
    if not data:
        raise SystemExit("the server has gone")
    for event in conn.receive_data(data):
        if isinstance(event, h2.events.ResponseReceived):
            answers[event.stream_id] = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            inbox.setdefault(event.stream_id, bytearray()).extend(event.data)
        elif isinstance(event, h2.events.StreamEnded):
            inbox.setdefault(event.stream_id, bytearray()).extend(b"")
    sock.sendall(conn.data_to_send())


while not conn.remote_settings.enable_connect_protocol:
    pump()

stream = conn.get_next_available_stream_id()
headers = [
    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/python"),
    (":authority", f"127.0.0.1:{port}"), ("sec-websocket-version", "13"),
    # More than a frame holds: the block goes on in CONTINUATION.
    ("x-long", "a long story " * 2000),
]
conn.send_headers(stream, headers)
sock.sendall(conn.data_to_send())
while stream not in answers:
    pump()
assert answers[stream][":status"] == "200", answers
ws = Connection(ConnectionType.CLIENT)


def say(event, size, padding):
    data = ws.send(event)
    for at in range(0, len(data), size):
        conn.send_data(stream, data[at : at + size], pad_length=padding)
    sock.sendall(conn.data_to_send())


def hear():
    while True:
        for event in ws.events():
            return event
        while not inbox.get(stream):
            pump()
        data = bytes(inbox[stream])
        inbox[stream].clear()
        ws.receive_data(data)


say(TextMessage("in one piece"), 1000, 7)
print(hear())
say(TextMessage("byte by byte"), 1, None)
print(hear())
say(BytesMessage(bytes(range(256))), 50, 3)
print(hear())
say(Ping(b"p"), 3, None)
print(hear())
conn.ping(b"12345678")
say(CloseConnection(1000, "done"), 100, None)
print(hear())
conn.end_stream(stream)
sock.sendall(conn.data_to_send())
conn.close_connection()
sock.sendall(conn.data_to_send())
sock.close()
