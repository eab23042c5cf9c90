"""Records incidents, several at a time, each in namespaces of its own.

    python record.py WORK OUT [NAME...]
"""

import asyncio
import gzip
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import traceback

import stage

import behind, closing, crashes, given_up, handshakes, healthy, network, opening, parting, requests, returning, silence  # noqa: E401, F401

# So many at a time do not disturb each other: most of them wait.
AT_ONCE = 4
# Above that a capture is compressed.
LARGE = 50_000


def one(work, name, file):
    """Plays one incident; this process is alone in its namespaces."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # Servers report what the incident is about; that is no failure of the recording.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    on = stage.Stage(work, pathlib.Path(file))
    play = stage.INCIDENTS[name]
    if not getattr(play, "captures_itself", False):
        on.capture()
    failed = 0
    try:
        asyncio.run(asyncio.wait_for(play(on), 100))
    except Exception:
        traceback.print_exc()
        failed = 1
    on.end_capture()
    # What still runs ends with this process, which is the first of its namespace.
    sys.stderr.flush()
    os._exit(failed)


async def record(work, out, name, turns):
    async with turns:
        file = work / "recorded" / f"{name}.pcap"
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)
        file.parent.mkdir(exist_ok=True)
        program = await asyncio.create_subprocess_exec(
            "unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child",
            sys.executable, __file__, "--one", work, name, file)
        if await program.wait() != 0:
            print(f"{name}: FAILED", flush=True)
            return False
        kind = "pcap"
        keys = file.with_suffix("") / "keys.log"
        if keys.exists():
            # What is within TLS is a part of the incident: its keys stand in the capture.
            kind, plain, file = "pcapng", file, file.with_suffix(".pcapng")
            subprocess.run(["editcap", "--inject-secrets", f"tls,{keys}", plain, file], check=True)
        bytes = file.read_bytes()
        for old in out.glob(f"{name}.pcap*"):
            old.unlink()
        if len(bytes) > LARGE:
            packed = gzip.compress(bytes, 9, mtime=0)
            (out / f"{name}.{kind}.gz").write_bytes(packed)
            print(f"{name}: {len(bytes)} bytes, {len(packed)} compressed", flush=True)
        else:
            (out / f"{name}.{kind}").write_bytes(bytes)
            print(f"{name}: {len(bytes)} bytes", flush=True)
        return True


async def main(work, out, names):
    turns = asyncio.Semaphore(AT_ONCE)
    long = [name for name, play in stage.INCIDENTS.items() if getattr(play, "long", False)]
    names = names or long + [name for name in stage.INCIDENTS if name not in long]
    done = await asyncio.gather(*(record(work, out, name, turns) for name in names))
    return 0 if all(done) else 1


if sys.argv[1] == "--one":
    one(*sys.argv[2:])
else:
    work, out, *names = sys.argv[1:]
    sys.exit(asyncio.run(main(pathlib.Path(work), pathlib.Path(out), names)))
