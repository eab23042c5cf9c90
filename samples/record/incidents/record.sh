#!/bin/sh
# Records the captures in ../../incidents: connections of real programs that went wrong.
#
#     sudo ./record.sh [NAME...]
#
# Needs node 20 with npm, python3 with venv, nginx, haproxy, tinyproxy, chromium, curl, openssl, socat, tcpdump, editcap,
# a JDK with Jetty 9 (libjetty9-java), go with golang-github-gorilla-websocket-dev,
# and iproute2. The libraries are installed into a temporary directory. Each incident
# runs in network and process namespaces of its own (see stage.py), so that all can listen on the
# same ports and nothing is left running.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$(dirname "$here")")/incidents
work=${WORK:-$(mktemp -d)}
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work"
cd "$work"
[ -d node_modules ] || npm install --silent --no-save \
    ws@8 socket.io@4 socket.io-client@4 graphql@16 graphql-ws@6 \
    aedes@0.51 mqtt@5 @stomp/stompjs@7 socket.io-client-2@npm:socket.io-client@2 >/dev/null
if [ ! -d venv ]; then
    python3 -m venv venv
    venv/bin/pip -q install 'websockets>=15' 'aiohttp>=3.9' 'uvicorn>=0.30' 'python-socketio>=5' 'flask>=3' 'tornado>=6' \
        'websocket-client>=1' 'flask-sock>=0.7' 'gunicorn>=22'
fi
exec_python="$work/venv/bin/python"
"$exec_python" "$here/record.py" "$work" "$out" "$@"
