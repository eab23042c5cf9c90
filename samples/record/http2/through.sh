#!/bin/sh
# Records the captures of WebSocket over HTTP/2 in tests/streams, in which wstool itself takes part: with Chromium,
# Node.js, HAProxy and nghttpx, each with the log of what the program at the other end said.
#
# Needs a built wstool (the argument; by default target/debug/wstool), node with npm, chromium, haproxy, nghttpx,
# openssl, tcpdump and editcap, and the right to capture on the loopback interface.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=$root/tests/streams
wstool=${1:-"$root/target/debug/wstool"}
peers=$root/tests/peers
work=$(mktemp -d)
lab=8083
front=8084
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$work"' EXIT
(cd "$work" && npm install --silent --no-save ws@8 >/dev/null)
export WSTOOL_DATA="$work"

# capture FILE PORT: begins to capture; end_capture ends it.
capture() {
    tcpdump -q -i lo -s 0 -U -w "$work/$1" "tcp port $2" 2>"$work/$1.log" &
    tcpdump=$!
    pids="$pids $tcpdump"
    until grep -q listening "$work/$1.log"; do sleep 0.1; done
}
end_capture() {
    sleep 1
    kill $tcpdump
    wait $tcpdump || true
    cp "$work/$1" "$out/$1"
}
# start COMMAND...: starts something that listens, and ends with the script; stop ends it before.
start() {
    rm -f "$work/said"
    "$@" >"$work/said" 2>&1 &
    started=$!
    pids="$pids $started"
}
stop() {
    kill $started
    wait $started 2>/dev/null || true
}
listens() {
    until nc -z 127.0.0.1 "$1"; do sleep 0.1; done
}
# talk FILE PORT: Node.js as a client, which keeps what it says in FILE.
talk() {
    rm -f "$out/$1"
    LOG="$out/$1" timeout 60 node "$peers/http2.mjs" "$work" client "http://127.0.0.1:$2" /echo \
        hello '你好 😀' "$(seq -s ' ' 400)" '{"type":"bye"}'
}

# hyper as the server, without TLS: by prior knowledge.
start "$wstool" serve --listen 127.0.0.1:$lab --view none
listens $lab
capture hyper-serve.pcap $lab
talk hyper-serve.jsonl $lab
end_capture hyper-serve.pcap

# HAProxy between, which speaks HTTP/2 with both: what it says to each.
cat >"$work/haproxy.cfg" <<END
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend f
  bind 127.0.0.1:$front proto h2
  default_backend b
backend b
  server lab 127.0.0.1:$lab proto h2
END
haproxy -db -f "$work/haproxy.cfg" >/dev/null 2>&1 &
haproxy=$!
pids="$pids $haproxy"
listens $front
capture haproxy-front.pcap $front
first=$tcpdump
capture haproxy-back.pcap $lab
talk haproxy-front.jsonl $front
cp "$out/haproxy-front.jsonl" "$out/haproxy-back.jsonl"
end_capture haproxy-back.pcap
tcpdump=$first
end_capture haproxy-front.pcap
kill $haproxy

# nghttpx between: HTTP/2 with the client and with the server.
nghttpx --no-ocsp --frontend="127.0.0.1,$((front + 1));no-tls" --backend="127.0.0.1,$lab;;proto=h2" \
    --errorlog-file=/dev/null --accesslog-file=/dev/null --pid-file="$work/nghttpx.pid" >/dev/null 2>&1 &
pids="$pids $!"
listens $((front + 1))
capture nghttpx-front.pcap $((front + 1))
talk nghttpx-front.jsonl $((front + 1))
end_capture nghttpx-front.pcap
stop

# hyper's h2 as the client of Node.js: connect --http2.
LOG=$out/hyper-connect.jsonl
export LOG
rm -f "$LOG"
start node "$peers/http2.mjs" "$work" server
until [ -s "$work/said" ]; do sleep 0.1; done
port=$(head -1 "$work/said")
capture hyper-connect.pcap "$port"
printf 'hello\n你好 😀\n%s\n' "$(seq -s ' ' 400)" | "$wstool" connect --http2 -q "ws://127.0.0.1:$port/connect"
end_capture hyper-connect.pcap
stop
unset LOG

# Chromium against serve --tls, with the secrets of the connection.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key" -out "$work/cert" 2>/dev/null
start "$wstool" serve ws --listen 127.0.0.1:$lab --cert "$work/cert" --key "$work/key" --view none
listens $lab
capture chromium-tls.pcap $lab
node "$here/browser.mjs" "https://127.0.0.1:$lab" "$work/keys" >"$out/chromium-tls.jsonl"
end_capture chromium-tls.pcap
editcap --inject-secrets "tls,$work/keys" -F pcapng "$out/chromium-tls.pcap" "$out/chromium-tls.pcapng"
rm "$out/chromium-tls.pcap"
stop
