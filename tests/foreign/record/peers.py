"""peers.py NAME: conversations of Python's own clients and servers, both ends or one of them."""

import multiprocessing.managers
import os
import random
import socket
import struct
import sys
import threading
import time

HOST = "127.0.0.1"


def behind(target, *arguments):
    threading.Thread(target=target, args=arguments, daemon=True).start()
    time.sleep(0.5)


def connect(port):
    sock = socket.create_connection((HOST, port))
    sock.settimeout(3)
    return sock


def exactly(sock, length):
    got = b""
    while len(got) < length:
        part = sock.recv(length - len(got))
        if not part:
            raise EOFError
        got += part
    return got


# -- the web


def serve_http(handle):
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            handle(self)

        do_POST = do_GET

    server = http.server.ThreadingHTTPServer((HOST, 8080), Handler)
    behind(server.serve_forever)


def http_chunked():
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for i in range(30):
            part = random.randbytes(i) + b"some text"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    serve_http(answer)
    import http.client

    client = http.client.HTTPConnection(HOST, 8080)
    for _ in range(3):
        client.request("POST", "/", body=iter([b"a", b"few", b"parts" * 40]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
        client.getresponse().read()


def http_events():
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for i in range(40):
            handler.wfile.write(b"id: %d\nevent: tick\ndata: {\"n\": %d}\n\n" % (i, i))
            handler.wfile.flush()
            time.sleep(0.02)

    serve_http(answer)
    import urllib.request

    urllib.request.urlopen(f"http://{HOST}:8080/").read()


def xmlrpc():
    import xmlrpc.client
    import xmlrpc.server

    server = xmlrpc.server.SimpleXMLRPCServer((HOST, 8080), logRequests=False)
    server.register_function(lambda *a: list(a), "echo")
    behind(server.serve_forever)
    client = xmlrpc.client.ServerProxy(f"http://{HOST}:8080/")
    for i in range(10):
        client.echo(i, "text", {"a": [1.5, None is None]})


# -- calls and objects


def grpc():
    import grpc

    def handler(request, context):
        return request[::-1]

    def stream(request, context):
        for i in range(20):
            yield request + b"%d" % i

    plain = grpc.method_handlers_generic_handler("a.Service", {
        "Call": grpc.unary_unary_rpc_method_handler(handler),
        "Stream": grpc.unary_stream_rpc_method_handler(stream),
    })
    import concurrent.futures

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((plain,))
    server.add_insecure_port(f"{HOST}:50051")
    server.start()
    with grpc.insecure_channel(f"{HOST}:50051") as channel:
        call = channel.unary_unary("/a.Service/Call")
        for i in range(15):
            call(b"\x0a" + bytes([i]) + b"m" * i)
        list(channel.unary_stream("/a.Service/Stream")(b"\x08\x96\x01"))
        try:
            channel.unary_unary("/a.Service/None")(b"")
        except grpc.RpcError:
            pass


def python_manager():
    class Manager(multiprocessing.managers.BaseManager):
        pass

    things = {"a": 1}
    Manager.register("things", callable=lambda: things)
    server = Manager((HOST, 7000), b"secret").get_server()
    behind(server.serve_forever)
    client = Manager((HOST, 7000), b"secret")
    client.connect()
    proxy = client.things()
    for i in range(25):
        proxy.update({i: "x" * i})
        proxy.get(i)


def rpyc():
    import rpyc
    from rpyc.utils.server import ThreadedServer

    class Service(rpyc.Service):
        def exposed_echo(self, value):
            return value

    behind(ThreadedServer(Service, hostname=HOST, port=18861).start)
    client = rpyc.connect(HOST, 18861)
    for i in range(25):
        client.root.echo("text" * i)
    client.close()


def zeromq():
    import zmq

    context = zmq.Context()
    reply, publisher = context.socket(zmq.REP), context.socket(zmq.PUB)
    reply.bind(f"tcp://{HOST}:5555")
    publisher.bind(f"tcp://{HOST}:5556")
    request, subscriber = context.socket(zmq.REQ), context.socket(zmq.SUB)
    request.connect(f"tcp://{HOST}:5555")
    subscriber.connect(f"tcp://{HOST}:5556")
    subscriber.subscribe(b"")
    time.sleep(0.5)
    for i in range(25):
        request.send(b"question %d" % i)
        reply.send(reply.recv() + b"!" * i * 20)
        request.recv()
        publisher.send_multipart([b"topic", random.randbytes(i * 3)])
    time.sleep(0.3)


def thrift(framed=False):
    import thriftpy2
    from thriftpy2.rpc import make_client, make_server
    from thriftpy2.transport import TBufferedTransportFactory, TFramedTransportFactory

    with open("a.thrift", "w") as file:
        file.write("struct S { 1: i32 n, 2: string s, 3: list<i64> l }\nservice A { S echo(1: S s), void ping() }")
    a = thriftpy2.load("a.thrift", module_name="a_thrift")

    class Service:
        def echo(self, s):
            return s

        def ping(self):
            pass

    factory = TFramedTransportFactory if framed else TBufferedTransportFactory
    behind(make_server(a.A, Service(), HOST, 9090, trans_factory=factory()).serve)
    client = make_client(a.A, HOST, 9090, trans_factory=factory())
    for i in range(25):
        client.ping()
        client.echo(a.S(n=i, s="text" * i, l=list(range(i))))
    client.close()


def thrift_framed():
    thrift(True)


def modbus():
    import pymodbus.client
    import pymodbus.server
    from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext

    block = ModbusSequentialDataBlock(1, [i * 7 & 0xFFFF for i in range(200)])
    context = ModbusServerContext(ModbusDeviceContext(di=block, co=block, hr=block, ir=block), single=True)
    behind(lambda: pymodbus.server.StartTcpServer(context, address=(HOST, 502)))
    time.sleep(1)
    client = pymodbus.client.ModbusTcpClient(HOST, port=502)
    client.connect()
    for i in range(30):
        client.read_holding_registers(i, count=10)
        client.write_register(i, i * 3)
        client.read_coils(i, count=16)
    client.close()


# -- mail and files


def smtp():
    import smtplib
    from aiosmtpd.controller import Controller

    class Sink:
        async def handle_DATA(self, server, session, envelope):
            return "250 taken"

    controller = Controller(Sink(), hostname=HOST, port=2525)
    controller.start()
    for i in range(3):
        with smtplib.SMTP(HOST, 2525) as client:
            text = "Subject: number %d\r\n\r\n" % i + "A line of the letter.\r\n" * 30
            client.sendmail("a@example.com", ["b@example.com", "c@example.com"], text)
    controller.stop()


def imap_client():
    import imaplib

    client = imaplib.IMAP4(HOST, 143)
    client.login("a", "secret")
    client.select()
    client.search(None, "ALL")
    client.fetch("1:*", "(FLAGS BODY[])")
    client.store("2", "+FLAGS", "\\Seen")
    client.append("INBOX", None, None, b"Subject: new\r\n\r\nhello\r\n")
    client.logout()


def pop3_client():
    import poplib

    client = poplib.POP3(HOST, 110)
    client.user("a")
    client.pass_("secret")
    for i in range(len(client.list()[1])):
        client.retr(i + 1)
    client.dele(1)
    client.quit()


def ftp():
    import ftplib
    import io
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    authorizer = DummyAuthorizer()
    authorizer.add_user("a", "secret", os.getcwd(), perm="elradfmw")

    class Handler(FTPHandler):
        pass

    Handler.authorizer = authorizer
    behind(FTPServer((HOST, 2121), Handler).serve_forever)
    client = ftplib.FTP()
    client.connect(HOST, 2121)
    client.login("a", "secret")
    client.storbinary("STOR text", io.BytesIO(b"a line of text\n" * 200))
    client.storbinary("STOR noise", io.BytesIO(random.randbytes(3000)))
    client.retrlines("LIST", print)
    client.retrbinary("RETR noise", lambda _: None)
    client.retrlines("RETR text", lambda _: None)
    client.delete("text")
    client.quit()


def syslog():
    import logging
    import logging.handlers

    server = socket.create_server((HOST, 514))

    def sink():
        sock, _ = server.accept()
        while sock.recv(4096):
            pass

    behind(sink)
    handler = logging.handlers.SysLogHandler((HOST, 514), socktype=socket.SOCK_STREAM)
    log = logging.getLogger("syslog")
    log.addHandler(handler)
    for i in range(60):
        log.warning("something happened %d times", i)
    # And the other framing of RFC 6587, octets counted.
    for i in range(60):
        text = b"<34>1 2026-01-01T00:00:00Z host app %d - - It happened again" % i
        handler.socket.sendall(b"%d %s" % (len(text), text))


def python_logging():
    import logging
    import logging.handlers

    server = socket.create_server((HOST, 9020))

    def sink():
        sock, _ = server.accept()
        while sock.recv(4096):
            pass

    behind(sink)
    log = logging.getLogger("socket")
    log.addHandler(logging.handlers.SocketHandler(HOST, 9020))
    for i in range(40):
        log.warning("something happened %d times", i)


# -- clients of servers that services.sh starts


def memcached_binary():
    sock = connect(11211)

    def call(op, key=b"", value=b"", extras=b""):
        body = extras + key + value
        sock.sendall(struct.pack(">BBHBBHIIQ", 0x80, op, len(key), len(extras), 0, 0, len(body), 7, 0) + body)
        head = exactly(sock, 24)
        length = struct.unpack(">I", head[8:12])[0]
        exactly(sock, length)
        return head, length

    for i in range(25):
        call(1, b"key%d" % i, b"value" * i, bytes(8))
        call(0, b"key%d" % i)
        call(0, b"none")
    call(0x0B)


def vnc_client():
    sock = connect(5908)
    exactly(sock, 12)
    sock.sendall(b"RFB 003.008\n")
    exactly(sock, exactly(sock, 1)[0])
    sock.sendall(b"\x01")
    exactly(sock, 4)
    sock.sendall(b"\x01")
    head = exactly(sock, 24)
    exactly(sock, struct.unpack(">I", head[20:])[0])
    # Hextile, CopyRect, raw.
    sock.sendall(struct.pack(">BxHiii", 2, 3, 5, 1, 0))
    width, height = struct.unpack(">HH", head[:4])
    for i in range(12):
        sock.sendall(struct.pack(">BBHHHH", 3, i > 0, 0, 0, width, height if i == 0 else 32))
        sock.sendall(struct.pack(">BBHH", 5, i & 1, 10 * i, 5 * i))
        sock.sendall(struct.pack(">BBxxI", 4, i & 1, 0x61 + i))
        sock.sendall(struct.pack(">BxxxI", 6, 5) + b"paste")
        time.sleep(0.1)
        try:
            sock.setblocking(False)
            while sock.recv(65536):
                pass
        except BlockingIOError:
            sock.setblocking(True)


def tracker():
    peers = struct.pack(">4sH4sH", socket.inet_aton(HOST), 51413, socket.inet_aton(HOST), 51414)

    def answer(handler):
        body = b"d8:intervali5e12:min intervali5e5:peers12:" + peers + b"e"
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        do_GET = answer

    http.server.ThreadingHTTPServer((HOST, 6969), Handler).serve_forever()


globals()[sys.argv[1]]()
sys.stdout.flush()
os._exit(0)
