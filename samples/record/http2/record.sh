#!/bin/sh
# Records the captures of WebSocket over HTTP/2 in ../../http2 (see README.md there), and beside each the log of
# what the programs said.
#
# Needs node with npm, python3 with venv, openssl, tcpdump and editcap, and the right to capture on the loopback interface.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../../http2" && pwd)
work=$(mktemp -d)
port=8082
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$work"' EXIT
cp "$here"/*.mjs "$here"/*.py "$work"
cd "$work"
npm install --silent --no-save ws@8 >/dev/null
python3 -m venv venv
venv/bin/pip -q install 'h2>=4' 'wsproto>=1.2'

capture() {
    tcpdump -q -i lo -s 0 -U -w "$out/$1" "tcp port $port" 2>"$work/tcpdump.log" &
    tcpdump=$!
    pids="$pids $tcpdump"
    until grep -q listening "$work/tcpdump.log"; do sleep 0.1; done
}
end_capture() {
    sleep 1
    kill -INT $tcpdump
    wait $tcpdump || true
}
# serve LOG COMMAND...: starts a server and waits until it is ready.
serve() {
    log=$1
    shift
    "$@" >"$work/$log" &
    server=$!
    pids="$pids $server"
    until grep -qs ready "$work/$log"; do kill -0 $server; sleep 0.1; done
}
end_server() {
    kill $server
    wait $server 2>/dev/null || true
    grep -v ready "$work/$1" >"$out/$1"
}

serve node-h2c.jsonl node node-server.mjs $port
capture node-h2c.pcap
timeout 60 node node-client.mjs $port
end_capture
end_server node-h2c.jsonl

# The same within TLS, for tests/streams: the keys are Node.js's, and in the capture.
samples=$out
out=$(cd "$here/../../../tests/streams" && pwd)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7300 -subj /CN=chat.example \
    -keyout key.pem -out cert.pem 2>/dev/null
serve node-tls.jsonl node node-server.mjs $port cert.pem key.pem
capture node-tls.pcap
timeout 60 node --tls-keylog="$work/node-tls.keys" node-client.mjs $port tls
end_capture
end_server node-tls.jsonl
editcap --inject-secrets "tls,$work/node-tls.keys" -F pcapng "$out/node-tls.pcap" "$out/node-tls.pcapng"
rm "$out/node-tls.pcap"
out=$samples

# Python's h2 as the client, which is bound to no order of frames.
serve python-h2.jsonl node node-server.mjs $port
capture python-h2.pcap
timeout 60 venv/bin/python client.py $port
end_capture
end_server python-h2.jsonl
