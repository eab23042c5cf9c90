#!/bin/sh
# Installs the WebSocket implementations that the tests talk to into target/peers:
# npm's ws, socket.io-client and engine.io-client (of today, and of years ago), and Python's websockets,
# aiohttp and duckdb. Says in one line what cannot be had, and goes on.
set -u
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-"$here/../../target/peers"}
mkdir -p "$to"
if command -v npm >/dev/null; then
    cp "$here/package.json" "$here/package-lock.json" "$to/" &&
        (cd "$to" && npm ci --silent --no-audit --no-fund --ignore-scripts) ||
        echo "ws, socket.io-client, engine.io-client: npm ci failed"
else
    echo "ws, socket.io-client, engine.io-client: no npm"
fi
# The interpreter itself: what stands for it (pyenv's shims) has more to do behind each installation, and may fail.
if python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null); then
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --requirement "$here/requirements.txt" --target "$to/python" --upgrade ||
        echo "websockets, aiohttp, duckdb: pip failed"
else
    echo "websockets, aiohttp, duckdb: no python3"
fi
