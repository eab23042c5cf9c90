#!/bin/sh
# Records the captures of Socket.IO in ../../socketio: server and client of npm socket.io 4
# and 2, each capture with a log of what the programs themselves sent and received.
#
# Needs node with npm and tcpdump, and the right to capture on the loopback interface.
# The server's port is 8081.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$(dirname "$here")")/socketio
work=$(mktemp -d)
port=8081
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
cp "$here/scenario.mjs" "$work"
cd "$work"
npm install --silent --no-save socket.io4@npm:socket.io@4.8.4 socket.io-client4@npm:socket.io-client@4.8.4 \
    socket.io2@npm:socket.io@2.5.1 socket.io-client2@npm:socket.io-client@2.5.0 >/dev/null

for version in 4 2; do
    for transports in upgrade polling websocket raw; do
        name=v$version-$transports
        tcpdump -q -i lo -s 0 -U --immediate-mode -w "$work/$name.pcap" "tcp port $port" 2>"$work/tcpdump.log" &
        tcpdump=$!
        until grep -q listening "$work/tcpdump.log"; do sleep 0.1; done
        timeout 20 node scenario.mjs $version $transports $port "$work/$name.ndjson"
        sleep 1
        kill -INT $tcpdump
        wait $tcpdump || true
        gzip -9n <"$work/$name.pcap" >"$out/$name.pcap.gz"
        cp "$work/$name.ndjson" "$out/$name.ndjson"
    done
done
