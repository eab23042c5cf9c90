#!/bin/sh
# Records captures of what is spoken inside messages, of real programs: record.sh [NAME...]
#
# NAME is ocpp, sockjs, action-cable, phoenix, pusher, sip, xmpp, jupyter, devtools or home-assistant; all of them
# without any. Needs node with npm, python3 with venv, tcpdump, for xmpp prosody, for devtools chromium, and the
# right to capture on the loopback interface. What each wants from npm and PyPI is installed into a temporary
# directory, or taken from WORK where that names one with node_modules and venv. The servers listen on port 8085.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$(dirname "$here")")
work=${WORK:-$(mktemp -d)}
port=8085
pids=
trap 'kill $pids 2>/dev/null || true; [ -n "${WORK:-}" ] || rm -rf "$work"' EXIT

cp "$here"/*.mjs "$here"/*.py "$here"/*.lua "$work"
cd "$work"
if [ ! -d node_modules ]; then
    npm install --silent --no-save ws sockjs sockjs-client @rails/actioncable phoenix pusher-js jssip \
        @xmpp/client puppeteer-core home-assistant-js-websocket >/dev/null
fi
if [ ! -d venv ]; then
    python3 -m venv venv
    venv/bin/pip -q install ocpp websockets jupyter_server ipykernel
fi

# record NAME CLIENT...: captures what a client says to the server of that name.
record() {
    name=$1
    shift
    tcpdump -q -i lo -s 0 -U --immediate-mode -w "$name.pcap" "tcp port $port" 2>tcpdump.log &
    tcpdump=$!
    pids="$pids $tcpdump"
    until grep -q listening tcpdump.log; do sleep 0.1; done
    timeout 60 "$@"
    sleep 1
    kill -INT "$tcpdump"
    wait "$tcpdump" || true
    mv "$name.pcap" "$out/$name.pcap"
}
# serve COMMAND...: starts a server and waits until it is ready.
serve() {
    timeout 120 "$@" >server.log 2>&1 &
    server=$!
    pids="$pids $server"
    until grep -qE 'ready|127.0.0.1:8085|Activated service .http.|DevTools listening' server.log; do
        kill -0 "$server" || { cat server.log >&2; exit 1; }
        sleep 0.2
    done
}
end() {
    kill "$server"
    wait "$server" 2>/dev/null || true
}

for name in "${@:-ocpp sockjs action-cable phoenix pusher sip xmpp jupyter devtools home-assistant}"; do
    for name in $name; do
        case $name in
        ocpp) serve venv/bin/python ocpp-server.py && record ocpp venv/bin/python ocpp-client.py ;;
        jupyter)
            serve venv/bin/jupyter server --allow-root --no-browser --port=$port --IdentityProvider.token=secret \
                --ServerApp.root_dir="$work"
            record jupyter venv/bin/python jupyter-client.py
            ;;
        xmpp)
            mkdir -p prosody
            PROSODY_DATA="$work/prosody" prosodyctl --config prosody.cfg.lua register anna localhost secret
            serve prosody -F --config prosody.cfg.lua
            record xmpp node xmpp-client.mjs
            ;;
        devtools)
            serve chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
                --remote-debugging-port=$port --user-data-dir="$work/profile" about:blank
            record devtools node devtools-client.mjs
            ;;
        *) serve node $name-server.mjs $port && record $name node $name-client.mjs $port ;;
        esac
        end
    done
done
ls -l "$out"/*.pcap
