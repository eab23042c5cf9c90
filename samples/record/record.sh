#!/bin/sh
# Records the captures of real programs in .. (see README.md there).
#
# Needs node with npm, python3 with venv, chromium and tcpdump, and the right to
# capture on the loopback interface. Everything is installed into a temporary
# directory; the server's port is 8080, so nothing else may listen there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")
work=$(mktemp -d)
port=8080
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$work"' EXIT

cp "$here"/*.mjs "$here"/*.py "$here"/page.html "$work"
cd "$work"
npm install --silent --no-save ws@8 >/dev/null
python3 -m venv venv
venv/bin/pip -q install 'websockets>=15'

# capture FILE [OPTION...]: begins to capture; end_capture ends it.
capture() {
    file=$1
    shift
    tcpdump -q -i lo -s 0 -U -w "$work/$file" "$@" "tcp port $port" 2>"$work/tcpdump.log" &
    tcpdump=$!
    pids="$pids $tcpdump"
    until grep -q listening "$work/tcpdump.log"; do sleep 0.1; done
}
end_capture() {
    sleep 1
    kill -INT $tcpdump
    wait $tcpdump || true
}
# serve COMMAND...: starts a server and waits until it is ready.
serve() {
    "$@" >"$work/server.log" &
    server=$!
    pids="$pids $server"
    until grep -q ready "$work/server.log"; do sleep 0.1; done
}
end_server() {
    kill $server
    wait $server 2>/dev/null || true
}
browse() {
    chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --user-data-dir="$work/profile" "http://127.0.0.1:$port/" >/dev/null 2>&1 &
    browser=$!
    pids="$pids $browser"
    # The page needs a second and a half for what it says.
    sleep 6
    kill $browser
    wait $browser 2>/dev/null || true
}

# Two people in one room, without compression: every word can be read.
serve node chat-server.mjs $port
capture chat.pcap
venv/bin/python chat_client.py $port Anna &
anna=$!
sleep 0.7
venv/bin/python chat_client.py $port 小明
wait $anna
end_capture
end_server

# A browser, which offers permessage-deflate and gets it; with its page load.
serve node chat-server.mjs $port deflate
capture chromium.pcap
browse
end_capture
end_server

# npm ws as a client of Python websockets, compressed; dumpcap writes pcapng.
serve venv/bin/python echo_server.py $port
dumpcap -q -i lo -w "$work/node-ws.pcapng" -f "tcp port $port" 2>"$work/tcpdump.log" &
tcpdump=$!
pids="$pids $tcpdump"
until grep -q File: "$work/tcpdump.log"; do sleep 0.1; done
node echo-client.mjs $port
end_capture
end_server

# Python websockets as a client of npm ws, compressed.
serve node chat-server.mjs $port deflate
capture python-websockets.pcap
venv/bin/python chat_client.py $port Anna deflate
end_capture
end_server

# Chat again, captured with a snap length that cuts longer packets.
serve node chat-server.mjs $port
capture snapped.pcap -s 300
venv/bin/python chat_client.py $port Anna long
end_capture
end_server

mv chat.pcap chromium.pcap node-ws.pcapng python-websockets.pcap "$out"
mv snapped.pcap "$out/broken/packet-truncated.pcap"
ls -l "$out"/*.pcap* "$out"/broken/*.pcap

# Of the chat, what a mirror port of the server's side alone would show.
tcpdump -q -r "$out/chat.pcap" -w "$out/one-direction.pcap" "tcp src port $port" 2>/dev/null
