#!/bin/sh
# Records ../../mqtt.pcap: mosquitto with a listener for WebSocket, and MQTT.js as a client of MQTT 3.1.1
# and of MQTT 5.
#
# Needs mosquitto, node with npm and tcpdump, and the right to capture on the loopback interface. MQTT.js is
# installed into a temporary directory; the broker's port is 8083, so nothing else may listen there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$(dirname "$here")")
work=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$work"' EXIT

cp "$here"/client.mjs "$work"
cd "$work"
npm install --silent --no-save mqtt@5 >/dev/null
# mosquitto 2.0.11 does not start without a listener for TCP.
printf 'listener 18083 127.0.0.1\nlistener 8083\nprotocol websockets\nallow_anonymous true\n' >broker.conf
mosquitto -c broker.conf >broker.log 2>&1 &
broker=$!
pids=$broker
tcpdump -q -i lo -s 0 -U --immediate-mode -w mqtt.pcap "tcp port 8083" 2>tcpdump.log &
tcpdump=$!
pids="$pids $tcpdump"
until grep -q listening tcpdump.log; do sleep 0.1; done
until grep -q running broker.log; do
    kill -0 "$broker" || { cat broker.log >&2; exit 1; }
    sleep 0.1
done
timeout 20 node client.mjs
sleep 1
kill -INT "$tcpdump"
wait "$tcpdump" || true
cp mqtt.pcap "$out/mqtt.pcap"
