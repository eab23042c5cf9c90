#!/bin/sh
# Installs the WebSocket implementations that the tests talk to into target/peers:
# npm's ws and socket.io-client, and Python's websockets. Says in one line what cannot be had, and goes on.
set -u
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-"$here/../../target/peers"}
mkdir -p "$to"
if command -v npm >/dev/null; then
    cp "$here/package.json" "$here/package-lock.json" "$to/" &&
        (cd "$to" && npm ci --silent --no-audit --no-fund --ignore-scripts) ||
        echo "ws, socket.io-client: npm ci failed"
else
    echo "ws, socket.io-client: no npm"
fi
if command -v python3 >/dev/null; then
    python3 -m pip install --quiet --disable-pip-version-check --no-deps \
        --requirement "$here/requirements.txt" --target "$to/python" --upgrade ||
        echo "websockets: pip failed"
else
    echo "websockets: no python3"
fi
