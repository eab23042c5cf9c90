"""What the incidents are played with: programs, proxies, and a network between two hosts.

A stage lives in namespaces of its own (`record.py` sees to that): its loopback interface and
its ports are nobody else's, and what is still running at the end ends with it.
"""

import asyncio
import base64
import fcntl
import hashlib
import os
import pathlib
import queue
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time

INCIDENTS = {}


def incident(function):
    """Registers a function as the incident of its name; its docstring says what is done."""
    INCIDENTS[function.__name__.replace("_", "-")] = function
    return function


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Stage:
    """Runs programs in a directory, and captures what they say to each other."""

    def __init__(self, work, file):
        self.work = pathlib.Path(work)
        self.file = file
        self.here = pathlib.Path(file).with_suffix("")
        self.here.mkdir()
        self.tcpdump = None

    # Capturing.

    def capture(self, what="tcp", interface="lo", within=(), snaplen=0):
        """Begins to capture, from now on."""
        log = self.here / "tcpdump.log"
        command = [*within, "tcpdump", "-q", "-i", interface, "-s", str(snaplen), "-U",
                   "--immediate-mode", "-B", "8192", "-Z", "root", "-w", str(self.file), what]
        self.tcpdump = subprocess.Popen(command, stderr=open(log, "w"))
        while "listening" not in log.read_text():
            time.sleep(0.05)

    def end_capture(self):
        if self.tcpdump:
            time.sleep(0.4)
            self.tcpdump.send_signal(signal.SIGINT)
            self.tcpdump.wait()
            self.tcpdump = None

    # Programs.

    async def start(self, *command, ready="ready", within=()):
        """Starts a program and waits until it says that it is ready."""
        program = await asyncio.create_subprocess_exec(
            *within, *command, cwd=self.work, stdout=asyncio.subprocess.PIPE, stderr=sys.stderr)
        while ready:
            line = await program.stdout.readline()
            if not line:
                raise RuntimeError(f"{command[:3]} has ended")
            if ready.encode() in line:
                break
        asyncio.create_task(self.drain(program))
        return program

    async def drain(self, program):
        while await program.stdout.read(4096):
            pass

    def node(self, source, *args, **options):
        """Starts a script in node."""
        source = textwrap.dedent(source)
        return self.start("node", "--input-type=module", "-e", source, *args, **options)

    def python(self, source, *args, **options):
        """Starts a script in Python, in a process of its own."""
        source = textwrap.dedent(source)
        return self.start(sys.executable, "-u", "-c", source, *args, **options)

    async def go(self, source):
        """Builds a program in Go, with libraries that come in Debian's packages, and starts it."""
        (self.here / "main.go").write_text(source)
        places = ["GOPATH=/usr/share/gocode", f"GOCACHE={self.work}/gocache", "GO111MODULE=off"]
        program = str(self.here / "server")
        await self.run("env", *places, "go", "build", "-o", program, str(self.here / "main.go"))
        return await self.start(program)

    async def finish(self, program, seconds=90):
        """Waits until a program has ended by itself."""
        await asyncio.wait_for(program.wait(), seconds)

    async def run(self, *command):
        """Runs a program to its end, however it ends."""
        program = await self.start(*command, ready=None)
        await self.finish(program)

    async def nginx(self, server, extra=""):
        """Starts nginx with a server (its block's content), and what stands beside it."""
        config = self.here / "nginx.conf"
        temporary = "".join(
            f"{kind}_temp_path {self.here}/{kind};\n"
            for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        config.write_text(textwrap.dedent(f"""
            daemon off; worker_processes 1; user root; pid {self.here}/nginx.pid;
            error_log {self.here}/nginx.log; events {{ }}
            http {{ access_log off; {temporary} {extra}
            server {{ {server} }} }}
        """))
        program = await self.start("nginx", "-e", f"{self.here}/nginx.log", "-c", str(config), ready=None)
        await self.listening(80 if "8080" not in server else 8080)
        return program

    async def haproxy(self, config):
        file = self.here / "haproxy.cfg"
        file.write_text(textwrap.dedent(config))
        program = await self.start("haproxy", "-db", "-f", str(file), ready=None)
        await self.listening(8080)
        return program

    async def listening(self, port):
        """Waits until a port is listened on, without connecting to it."""
        for _ in range(200):
            for table in ["/proc/net/tcp", "/proc/net/tcp6"]:
                for line in open(table).readlines()[1:]:
                    fields = line.split()
                    if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == port:
                        return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"nothing listens on {port}")

    def certificate(self):
        """A key and a certificate for localhost."""
        key, certificate = self.here / "key.pem", self.here / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
            check=True, stderr=subprocess.DEVNULL)
        return key, certificate

    async def chromium(self, url, seconds):
        """Opens a page in a headless browser."""
        profile = self.here / "profile"
        browser = await self.start(
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", f"--user-data-dir={profile}", url, ready=None)
        await asyncio.sleep(seconds)
        browser.terminate()
        await self.finish(browser)
        shutil.rmtree(profile, ignore_errors=True)


class Network:
    """Two hosts, 10.0.0.2 (`client`) and 10.0.0.7 (`server`), and a wire between them that can be
    slow, lose packets, take none that are large, or be cut without either noticing: `dark` is that, or
    the host whose packets do not get through."""

    HOSTS = {"client": ("c0", "c1", "10.0.0.2"), "server": ("s0", "s1", "10.0.0.7")}

    def __init__(self, delay=0.0, loss=0.0, seed=1, largest=65536):
        self.delay, self.loss, self.largest, self.dark = delay, loss, largest, False
        self.random = random.Random(seed)
        self.ends = {}
        for host in self.HOSTS:
            self.boot(host)
        for source, sink in [("client", "server"), ("server", "client")]:
            on_the_way = queue.SimpleQueue()
            threading.Thread(target=self.take, args=(source, on_the_way), daemon=True).start()
            threading.Thread(target=self.bring, args=(on_the_way, sink), daemon=True).start()

    def boot(self, host):
        """Makes a host with its address, as new: it knows of no connection."""
        near, far, address = self.HOSTS[host]
        run("ip", "netns", "add", host)
        run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", host)
        run("ip", "link", "set", near, "up")
        # Its hardware is the same after a reboot.
        run("ip", "-n", host, "link", "set", far, "address", f"02:00:00:00:00:{int(address[-1]):02}")
        run("ip", "-n", host, "address", "add", f"{address}/24", "dev", far)
        run("ip", "-n", host, "link", "set", far, "up")
        run("ip", "-n", host, "link", "set", "lo", "up")
        here = str(pathlib.Path(__file__).parent)
        run(*self.at(host), sys.executable, "-c",
            f"import sys; sys.path.insert(0, {here!r}); import stage; stage.no_offload({far!r})")
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
        end.bind((near, 0))
        end.settimeout(0.1)
        self.ends[host] = end

    def reboot(self, host):
        """Takes a host's power away, and gives it back."""
        run("ip", "netns", "delete", host)
        run("ip", "link", "delete", self.HOSTS[host][0])
        self.boot(host)

    def take(self, source, on_the_way):
        while True:
            try:
                packet, (_, _, kind, _, _) = self.ends[source].recvfrom(65536)
            except OSError:
                # Nothing came for a while, or the host is being booted and has a new end of the wire.
                continue
            # Only what carries data is lost, so that a handshake does not take a second.
            lost = len(packet) > self.largest or len(packet) > 90 and self.random.random() < self.loss
            if kind != socket.PACKET_OUTGOING and self.dark not in (True, source) and not lost:
                on_the_way.put((time.monotonic() + self.delay, packet))

    def bring(self, on_the_way, sink):
        while True:
            due, packet = on_the_way.get()
            time.sleep(max(0, due - time.monotonic()))
            try:
                self.ends[sink].send(packet)
            except OSError:
                pass

    @staticmethod
    def at(host):
        """What a command begins with to run on a host."""
        return ("ip", "netns", "exec", host)


def no_offload(interface):
    """Makes an interface compute its own checksums, and send what it sends in segments."""
    import array
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in (0x17, 0x15, 0x1F, 0x24, 0x2C):  # tx, rx checksums; TSO, GSO, GRO
            value = array.array("B", struct.pack("II", command, 0))
            request = struct.pack("16sP", interface.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(control, 0x8946, request)
            except OSError:
                pass


# Peers that do what no library does.

async def by_hand(handler):
    """A server that says its handshake, and then what `handler` says."""
    async def take(reader, writer):
        key = [line.split()[1] for line in (await reader.readuntil(b"\r\n\r\n")).splitlines()
               if line.lower().startswith(b"sec-websocket-key:")][0]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        await handler(reader, writer)

    return await asyncio.start_server(take, "127.0.0.1", 8080)


HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)


class Raw:
    """A client by hand: each byte it sends is chosen."""

    @classmethod
    async def open(cls, path="/", port=8080, host="127.0.0.1", more=""):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(host, port)
        key = base64.b64encode(os.urandom(16)).decode()
        request = HANDSHAKE.format(path=path, host=f"{host}:{port}", key=key, more=more)
        self.writer.write(request.encode())
        await self.reader.readuntil(b"\r\n\r\n")
        return self

    def frame(self, opcode, payload, fin=True, rsv1=False):
        """Sends a frame, masked as a client has to."""
        first = (0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.writer.write(bytes([first]) + length + mask + masked)

    async def next(self):
        """The next frame that the server sends: its opcode and payload."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return first & 0x0F, await self.reader.readexactly(length)

    async def until_close(self, answer=True):
        """Reads until a Close frame, answers it, and waits for the end of TCP."""
        try:
            while True:
                opcode, payload = await self.next()
                if opcode == 8:
                    if answer:
                        self.frame(8, payload[:2])
                    break
            await self.reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.writer.close()
