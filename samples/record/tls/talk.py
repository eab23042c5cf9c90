"""The two ends of a WebSocket on Python `websockets`, and on pipes to `openssl`.

    python talk.py server|client|s_client|s_server OPTIONS

OPTIONS is JSON (see `record.py`). What an end has sent and received is written to the file `log` in JSON,
a list of connections; `tls` says how it speaks TLS.
"""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

URI = "wss://chat.example:8443/room"
# What a client says: text, text beyond ASCII, bytes, and more than fits into a segment.
SAYS = ["hello", "Grüße, 世界 👋", bytes(range(48)), "long " * 330]

# OpenSSL's options, which Python does not name (ssl.h).
NO_EXTENDED_MASTER_SECRET = 1 << 0
NO_ENCRYPT_THEN_MAC = 1 << 19


def answer(message):
    """What a server answers."""
    return message[::-1] if isinstance(message, bytes) else f"you said {len(message)}: {message[:40]}"


def shown(message):
    return {"hex": message.hex()} if isinstance(message, bytes) else {"text": message}


class Log:
    """What one end of a connection sent and received."""

    def __init__(self):
        self.sent, self.received = [], []

    def send(self, message):
        self.sent.append(shown(message))
        return message

    def receive(self, message):
        self.received.append(shown(message))
        return message


def write(options, logs):
    with open(options["log"], "w") as file:
        json.dump([vars(log) for log in logs], file, ensure_ascii=False)


def context(options, is_server):
    """TLS as the options say."""
    tls = options["tls"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if is_server:
        context.load_cert_chain(*options["certificate"])
        if options.get("client_certificate"):
            context.load_verify_locations(options["client_certificate"][0])
            context.verify_mode = ssl.CERT_REQUIRED
        if options.get("group"):
            context.set_ecdh_curve(options["group"])
    elif options.get("client_certificate"):
        context.load_cert_chain(*options["client_certificate"])
    version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}.get(tls.get("version"))
    if version:
        context.minimum_version = context.maximum_version = version
    if tls.get("cipher") and version is not ssl.TLSVersion.TLSv1_3:
        context.set_ciphers(tls["cipher"])
    if tls.get("encrypt_then_mac") is False:
        context.options |= NO_ENCRYPT_THEN_MAC
    if tls.get("extended_master_secret") is False:
        context.options |= NO_EXTENDED_MASTER_SECRET
    if options.get("alpn"):
        context.set_alpn_protocols(options["alpn"])
    if options.get("keys"):
        context.keylog_filename = options["keys"]
    return context


async def server(options):
    """Greets who comes, and answers."""
    logs = []
    left = options.get("connections", 1)
    done = asyncio.Event()

    async def room(socket):
        nonlocal left
        log = Log()
        logs.append(log)
        await socket.send(log.send("welcome"))
        async for message in socket:
            await socket.send(log.send(answer(log.receive(message))))
        left -= 1
        if not left:
            done.set()

    tls = context(options, True) if options.get("tls") is not None else None
    compression = "deflate" if options.get("deflate") else None
    async with serve(room, "127.0.0.1", options["port"], ssl=tls, compression=compression):
        print("ready", flush=True)
        await done.wait()
    write(options, logs)


async def client(options):
    """Says what it has to say, and hears the answers."""
    logs = []
    for _ in range(options.get("connections", 1)):
        log = Log()
        logs.append(log)
        async with connect(URI, host="127.0.0.1", port=8443, ssl=context(options, False),
                           compression="deflate" if options.get("deflate") else None) as socket:
            log.receive(await socket.recv())
            for message in SAYS:
                await socket.send(log.send(message))
                log.receive(await socket.recv())
    write(options, logs)


class Piped:
    """A protocol of `websockets` without I/O, on the pipes of a program of OpenSSL's."""

    def __init__(self, protocol, program):
        self.protocol, self.program = protocol, program
        self.log = Log()
        self.waiting = []

    async def flush(self):
        for data in self.protocol.data_to_send():
            if data:
                self.program.stdin.write(data)
                await self.program.stdin.drain()

    async def write(self, command):
        """Types a command of `s_client`; a moment apart from data, for it must stand by itself."""
        await asyncio.sleep(0.3)
        self.program.stdin.write(command)
        await self.program.stdin.drain()
        await asyncio.sleep(0.3)

    async def event(self):
        while not self.waiting:
            data = await self.program.stdout.read(65536)
            if not data:
                return None
            self.protocol.receive_data(data)
            self.waiting += self.protocol.events_received()
            await self.flush()
        return self.waiting.pop(0)

    async def message(self):
        """The next message; `None` at the end."""
        while (event := await self.event()) is not None:
            if isinstance(event, (Request, Response)):
                return event
            if event.opcode is Opcode.TEXT:
                return self.log.receive(event.data.decode())
            if event.opcode is Opcode.BINARY:
                return self.log.receive(bytes(event.data))
            # A server ends TCP, and a client waits for that.
            if event.opcode is Opcode.CLOSE and isinstance(self.protocol, ServerProtocol):
                return None
        return None

    async def say(self, message):
        self.log.send(message)
        if isinstance(message, bytes):
            self.protocol.send_binary(message)
        else:
            self.protocol.send_text(message.encode())
        await self.flush()


async def openssl(*command):
    return await asyncio.create_subprocess_exec(
        "openssl", *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)


async def s_client(options):
    """As `client`, on `openssl s_client`. `commands` are typed after the messages of their numbers."""
    logs = []
    for number, more in enumerate(options["runs"]):
        protocol = ClientProtocol(parse_uri(URI))
        request = protocol.connect()
        protocol.send_request(request)
        early = number and options.get("early_data")
        if early:
            # The request is sent as early data, in front of the handshake's end.
            with open(early, "wb") as file:
                file.write(b"".join(protocol.data_to_send()))
            more = [*more, "-early_data", early]
        program = await openssl("s_client", "-connect", "127.0.0.1:8443", "-servername", "chat.example",
                                "-brief", "-keylogfile", options["keys"], *more)
        piped = Piped(protocol, program)
        await piped.flush()
        response = await piped.message()
        assert isinstance(response, Response), response
        await piped.message()
        commands = options.get("commands", {})
        for number, message in enumerate(SAYS):
            await piped.say(message)
            await piped.message()
            for command in commands.get(str(number), []):
                await piped.write(command.encode())
        protocol.send_close(1000, "bye")
        await piped.flush()
        while await piped.message() is not None:
            pass
        program.stdin.close()
        await program.wait()
        logs.append(piped.log)
    write(options, logs)


async def s_server(options):
    """As `server`, on `openssl s_server`."""
    logs = []
    for _ in range(options.get("connections", 1)):
        protocol = ServerProtocol()
        program = await openssl("s_server", "-accept", "127.0.0.1:8443", "-quiet", "-naccept", "1",
                                "-cert", options["certificate"][0], "-key", options["certificate"][1],
                                "-keylogfile", options["keys"], *options.get("more", []))
        print("ready", flush=True)
        piped = Piped(protocol, program)
        request = await piped.message()
        protocol.send_response(protocol.accept(request))
        await piped.flush()
        await piped.say("welcome")
        while (message := await piped.message()) is not None:
            await piped.say(answer(message))
        # With -quiet it does not heed the end of its input.
        await asyncio.sleep(0.3)
        program.terminate()
        await program.wait()
        logs.append(piped.log)
    write(options, logs)


ROLES = {"server": server, "client": client, "s_client": s_client, "s_server": s_server}
asyncio.run(ROLES[sys.argv[1]](json.loads(sys.argv[2])))
