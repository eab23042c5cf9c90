#!/bin/sh
# Records polling.pcap and websocket.pcap in ../../compare: the same messages by both ways.
#
# Needs node with npm and tcpdump, and the right to capture on the loopback
# interface. ws is installed into a temporary directory; the port is 8080.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../../compare" && pwd)
work=$(mktemp -d)
port=${PORT:-8080}
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$work"' EXIT
cp "$here"/*.mjs "$work"
cd "$work"
npm install --silent --no-save ws@8 >/dev/null

for way in polling websocket; do
    case $way in polling) name=polling ;; *) name=ws ;; esac
    node $name-server.mjs "$port" >server.log &
    server=$!
    pids="$pids $server"
    until grep -q ready server.log; do sleep 0.1; done
    tcpdump -q -i lo -s 0 -U -w "$work/$way.pcap" "tcp port $port" 2>tcpdump.log &
    tcpdump=$!
    pids="$pids $tcpdump"
    until grep -q listening tcpdump.log; do sleep 0.1; done
    node $name-client.mjs "$port"
    sleep 1
    kill -INT $tcpdump
    wait $tcpdump || true
    kill $server
    wait $server 2>/dev/null || true
done
mv polling.pcap websocket.pcap "$out"
ls -l "$out"
