#!/bin/sh
# Records ../../wamp.pcap: Crossbar.io as the router, and two clients on Autobahn|Python, one in JSON and one
# in MessagePack.
#
# Needs python3 with venv and tcpdump, and the right to capture on the loopback interface. Everything is
# installed into a temporary directory; the router's port is 8084, so nothing else may listen there.
# VENV may name an environment that has crossbar and autobahn already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$(dirname "$here")")
work=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$work"' EXIT

cd "$work"
venv=${VENV:-$work/venv}
if [ ! -d "$venv" ]; then
    python3 -m venv "$venv"
    "$venv"/bin/pip -q install 'crossbar>=26' 'autobahn[serialization]'
fi
mkdir .crossbar
cp "$here"/crossbar.json .crossbar/config.json
"$venv"/bin/crossbar start --cbdir .crossbar >router.log 2>&1 &
router=$!
pids=$router
tcpdump -q -i lo -s 0 -U --immediate-mode -w wamp.pcap "tcp port 8084" 2>tcpdump.log &
tcpdump=$!
pids="$pids $tcpdump"
until grep -q listening tcpdump.log; do sleep 0.1; done
until grep -q 'Ok, local node configuration ran successfully' router.log; do
    kill -0 "$router" || { cat router.log >&2; exit 1; }
    sleep 0.5
done
timeout 30 "$venv"/bin/python "$here"/talk.py
sleep 1
kill -INT "$tcpdump"
wait "$tcpdump" || true
cp wamp.pcap "$out/wamp.pcap"
