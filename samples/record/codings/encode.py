#!/usr/bin/env python3
"""Content codings by encoders of others: zlib of Python, Brotli of Node.js, libzstd.

    ./encode.py

writes the samples that have them (`refused-coded.script`, `clean/content-codings.script`,
`broken/not-decoded.script`), and `src/coding/encoded.tsv`, what the decoders are tested with.
"""

import ctypes
import ctypes.util
import gzip
import json
import subprocess
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# What is flushed behind each part.
EVENTS = [f"id: {n}\ndata: price {n * 37 % 101}\n\n".encode() for n in range(1, 4)]

# One-liner; the page is long enough that what is around it pays.
PAGE = ("<html><head><title>Down for maintenance until 04:00 UTC</title></head>" + "<p>Sorry.</p>\n" * 60).encode()


def deflated(parts, wbits):
    engine = zlib.compressobj(9, zlib.DEFLATED, wbits)
    out = [engine.compress(part) + engine.flush(zlib.Z_SYNC_FLUSH) for part in parts[:-1]]
    return out + [engine.compress(parts[-1]) + engine.flush()]


def brotli(parts):
    program = """
        const { createBrotliCompress, constants } = require('node:zlib');
        const parts = JSON.parse(require('node:fs').readFileSync(0));
        const engine = createBrotliCompress();
        let made = [];
        engine.on('data', (bytes) => made.push(bytes));
        const out = [];
        const next = (at) => {
            const bytes = Buffer.from(parts[at], 'hex');
            const done = () => {
                out.push(Buffer.concat(made).toString('hex'));
                made = [];
                if (at + 1 < parts.length) next(at + 1);
                else console.log(JSON.stringify(out));
            };
            engine.write(bytes);
            if (at + 1 < parts.length) engine.flush(constants.BROTLI_OPERATION_FLUSH, () => setImmediate(done));
            else { engine.on('end', done); engine.end(); }
        };
        next(0);
    """
    told = subprocess.run(["node", "-e", program], input=json.dumps([part.hex() for part in parts]),
                          capture_output=True, text=True, check=True).stdout
    return [bytes.fromhex(part) for part in json.loads(told)]


class Buffer(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]


def zstd(parts, level=3, checksum=True):
    lib = ctypes.CDLL(ctypes.util.find_library("zstd"))
    lib.ZSTD_createCCtx.restype = ctypes.c_void_p
    lib.ZSTD_compressStream2.restype = ctypes.c_size_t
    engine = ctypes.c_void_p(lib.ZSTD_createCCtx())
    lib.ZSTD_CCtx_setParameter(engine, 100, level)
    lib.ZSTD_CCtx_setParameter(engine, 201, int(checksum))
    out = []
    for place, part in enumerate(parts):
        room = ctypes.create_string_buffer(len(part) * 2 + 1024)
        made, taken = Buffer(ctypes.addressof(room), len(room), 0), ctypes.create_string_buffer(part, len(part))
        given = Buffer(ctypes.addressof(taken), len(part), 0)
        # ZSTD_e_flush, or ZSTD_e_end.
        how = 2 if place + 1 == len(parts) else 1
        assert lib.ZSTD_compressStream2(engine, ctypes.byref(made), ctypes.byref(given), how) == 0
        out.append(room.raw[:made.pos])
    return out


def all_of(parts):
    """The name of each coding, and the parts in it."""
    return {
        "gzip": deflated(parts, 31),
        "deflate": deflated(parts, 15),
        "deflate, bare": deflated(parts, -15),
        "br": brotli(parts),
        "zstd": zstd(parts),
    }


def twice(page):
    """In gzip, and that in Brotli."""
    return brotli([gzip.compress(page, mtime=0)])[0]


def shown(data):
    return " ".join(f"{byte:02x}" for byte in data)


def answer(status, kind, coding, size):
    fields = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Encoding: {coding}", f"Content-Length: {size}"]
    return "server raw " + " ".join(f'"{field}\\r\\n"' for field in fields) + ' "\\r\\n"'


def refused():
    """Refusals whose page is in a coding, each on a connection of its own."""
    lines = [
        "# Servers that refuse, and say why in a page that is compressed: in gzip, zlib, bare DEFLATE, Brotli, Zstandard, and in",
        "# gzip within Brotli. Made by record/codings/encode.py.",
    ]
    coded = {name: parts[0] for name, parts in all_of([PAGE]).items()}
    coded["gzip, br"] = twice(PAGE)
    for place, (name, page) in enumerate(coded.items()):
        if place:
            # Later and later, as one who waits longer each time.
            lines.append(f"connection at={10 * (2 ** place - 1)}s")
        name = name.removesuffix(", bare")
        lines += ["request", answer("503 Service Unavailable", "text/html", name, len(page)), f"server raw {shown(page)}"]
    return lines


def followed():
    """Event streams in codings."""
    lines = [
        "# Server-sent events in codings, flushed one by one: Brotli, Zstandard, and gzip within Zstandard; and polls of",
        "# Socket.IO in Brotli, in Zstandard, and in a coding that is hardly used. Made by record/codings/encode.py.",
        "no-handshake",
    ]
    streams = {"br": brotli(EVENTS), "zstd": zstd(EVENTS), "gzip, zstd": zstd(deflated(EVENTS, 31))}
    for name, parts in streams.items():
        path = "/" + name.replace(", ", "-")
        lines.append(f'client raw "GET {path} HTTP/1.1\\r\\n" "Host: localhost:3000\\r\\n" "Accept: text/event-stream\\r\\n" "\\r\\n"')
        lines.append(answer("200 OK", "text/event-stream", name, sum(map(len, parts))))
        for place, part in enumerate(parts):
            if place:
                lines.append("wait 20ms")
            lines.append(f"server raw {shown(part)}")
    lines += ["connection at=1s", "no-handshake"]
    asked = "/socket.io/?EIO=4&transport=polling"
    opened = b'0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
    polls = [("br", brotli([opened])[0]), ("zstd", zstd([b'40{"sid":"oIX5ru2z"}\x1e42["price",37]'])[0])]
    for name, body in polls + [("compress", b"\x1f\x9d\x90\x36\x84\x00")]:
        lines.append(f'client raw "GET {asked} HTTP/1.1\\r\\n" "Host: localhost:3000\\r\\n" "\\r\\n"')
        lines.append(answer("200 OK", "text/plain; charset=UTF-8", name, len(body)))
        lines.append(f"server raw {shown(body)}")
        asked = "/socket.io/?EIO=4&transport=polling&sid=lv_VI97HAXpY6yYWAAAC"
    return lines


def broken():
    """An event stream that says it is in one coding, and is in another from some byte on."""
    zstd_parts, gzip_parts = zstd(EVENTS), deflated(EVENTS, 31)
    parts = [zstd_parts[0], gzip_parts[0]]
    lines = [
        "# An event stream that names zstd and goes on in gzip (RFC 9110 §8.4): two servers behind one name. Made by",
        "# record/codings/encode.py.",
        "# Right: clean/content-codings.script",
        "no-handshake",
        'client raw "GET /events HTTP/1.1\\r\\n" "Host: localhost:3000\\r\\n" "Accept: text/event-stream\\r\\n" "\\r\\n"',
        answer("200 OK", "text/event-stream", "zstd", sum(map(len, parts))),
    ]
    return lines + [f"server raw {shown(part)}" for part in parts]


def table():
    """For tests: a coding, the page in it, and the events, each of them flushed; without any coding first."""
    pages, events = all_of([PAGE]), all_of(EVENTS)
    pages["gzip, br"], events["gzip, br"] = [twice(PAGE)], brotli(deflated(EVENTS, 31))
    pages["br, zstd"], events["br, zstd"] = zstd(brotli([PAGE])), zstd(brotli(EVENTS))
    pages = {"identity": [PAGE], **pages}
    events = {"identity": EVENTS, **events}
    return ["\t".join([name.removesuffix(", bare"), page[0].hex(), *(part.hex() for part in events[name])])
            for name, page in pages.items()]


for path, lines in [
    ("samples/refused-coded.script", refused()),
    ("samples/clean/content-codings.script", followed()),
    ("samples/broken/not-decoded.script", broken()),
    ("src/coding/encoded.tsv", table()),
]:
    (ROOT / path).parent.mkdir(exist_ok=True)
    (ROOT / path).write_text("\n".join(lines) + "\n")
