"""Starts a kernel at a Jupyter server and runs two cells over each of the two ways to write messages."""

import asyncio
import json
import struct
import urllib.request
import uuid

import websockets

TOKEN = {"Authorization": "token secret"}


def http(method, path):
    request = urllib.request.Request("http://127.0.0.1:8085" + path, method=method, headers=TOKEN, data=b"" if method == "POST" else None)
    return json.loads(urllib.request.urlopen(request).read() or "null")


def packed(message):
    """The subprotocol's form: a count, offsets, then channel, header, parent, metadata, content."""
    parts = [message["channel"].encode()] + [json.dumps(message[key]).encode() for key in ("header", "parent_header", "metadata", "content")]
    offsets, at = [], 8 * (len(parts) + 2)
    for part in [*parts, b""]:
        offsets.append(at)
        at += len(part)
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


async def run(kernel, subprotocols):
    session = uuid.uuid4().hex
    url = f"ws://127.0.0.1:8085/api/kernels/{kernel}/channels?session_id={session}"
    async with websockets.connect(url, additional_headers=TOKEN, subprotocols=subprotocols, compression=None) as socket:
        for kind, content in (
            ("kernel_info_request", {}),
            ("execute_request", {"code": "print(6 * 7)", "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}),
            ("execute_request", {"code": "1 / 0", "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}),
        ):
            header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": session, "username": "anna", "date": "2026-11-29T00:00:00Z", "version": "5.3"}
            message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}
            await socket.send(packed(message) if subprotocols else json.dumps(message))
            replied = idle = False
            while not (replied and idle):
                answer = await socket.recv()
                text = answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
                replied |= kind.replace("request", "reply") in text and header["msg_id"] in text
                idle |= '"idle"' in text and header["msg_id"] in text


async def main():
    kernel = http("POST", "/api/kernels")["id"]
    await run(kernel, None)
    await run(kernel, ["v1.kernel.websocket.jupyter.org"])
    http("DELETE", "/api/kernels/" + kernel)


asyncio.run(main())
