#!/bin/sh
# Records the captures in ../../tls: WebSockets within TLS, with the keys and what the programs said.
#
#     sudo ./record.sh [NAME...]
#     sudo OUT=FOLDER ./record.sh matrix
#
# The second records each suite of each version by each program at either end, in a quarter of an hour, for
# RECORDED=FOLDER cargo test --test samples encrypted.
#
# Needs node 20 with npm, python3 with venv, openssl 3, nginx, chromium, tcpdump, tshark (with dumpcap and
# editcap) and iproute2. The libraries are installed into a temporary directory. All of it happens in a
# network namespace of its own, so that its ports are nobody else's and nothing is left running.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-"$(dirname "$(dirname "$here")")/tls"}
work=${WORK:-$(mktemp -d)}
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work"
cd "$work"
[ -d node_modules ] || npm install --silent --no-save ws@8 >/dev/null
if [ ! -d venv ]; then
    python3 -m venv venv
    venv/bin/pip -q install 'websockets>=15'
fi
cp "$here"/*.py "$here"/*.mjs "$here"/page.html "$work"
unshare --net --pid --mount-proc --fork --kill-child "$work/venv/bin/python" record.py "$work" "$out" "$@"
