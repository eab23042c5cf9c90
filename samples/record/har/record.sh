#!/bin/sh
# Records samples/har: a page in Chromium talks to npm ws and socket.io; DevTools' events, Playwright and
# mitmproxy each save what they saw, and the page what it sent and got.
#
#     ./record.sh
#
# It wants node with npm, python3 with venv, openssl, curl and chromium, and uses ports 8095 to 8099.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=$here/../../har
work=${1:-$(mktemp -d)}
port=8095
mkdir -p "$to" "$work/tests/peers" "$work/samples/record/har"
cp "$here"/*.mjs "$here/page.html" "$work/samples/record/har/"
cp "$here/../../../tests/peers/browser.mjs" "$work/tests/peers/"
cd "$work"
[ -d node_modules/playwright-core ] || npm install --silent --no-audit --no-fund playwright-core ws@8 socket.io@4
[ -d python ] || { python3 -m venv python && python/bin/pip install --quiet mitmproxy; }
cd samples/record/har
node server.mjs $port &
server=$!
trap 'kill $server' EXIT
until node -e "fetch('http://127.0.0.1:$port/').then(() => {}, () => process.exit(1))"; do sleep 0.2; done

node chromium.mjs "http://127.0.0.1:$port/page" "$to/chromium.har" "$to/chromium.truth.json"
node playwright.mjs "http://127.0.0.1:$port/page" "$to/playwright.har" "$to/playwright.truth.json"

# mitmproxy stands in front of the server.
"$work/python/bin/mitmdump" --quiet --mode "reverse:http://127.0.0.1:$port" --listen-host 127.0.0.1 --listen-port 8096 \
    --set hardump="$work/mitmproxy.har" --set keep_host_header=true &
proxy=$!
until node -e "fetch('http://127.0.0.1:8096/').then(() => {}, () => process.exit(1))"; do sleep 0.2; done
node chromium.mjs "http://127.0.0.1:8096/page" "$work/unused.har" "$to/mitmproxy.truth.json"
kill -INT $proxy
wait $proxy || true
mv "$work/mitmproxy.har" "$to/mitmproxy.har"

# What Chromium says of servers that let no WebSocket come about.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=chat.example -keyout "$work/key" \
    -out "$work/cert" 2>/dev/null
node failures.mjs 8097 "$work/cert" "$work/key" &
failures=$!
trap 'kill $server $failures' EXIT
until node -e "fetch('http://127.0.0.1:8097/page').then(() => {}, () => process.exit(1))"; do sleep 0.2; done
node chromium.mjs "http://127.0.0.1:8097/page" "$to/failures.har" "$to/failures.truth.json"

# A WebSocket over HTTP/2, of which Chromium tells as if it were of HTTP/1.1, but without a key.
node http2.mjs 8099 "$work/cert" "$work/key" &
http2=$!
trap 'kill $server $failures $http2' EXIT
until curl --silent --insecure --output /dev/null https://127.0.0.1:8099/page; do sleep 0.2; done
node chromium.mjs https://127.0.0.1:8099/page "$to/chromium-http2.har" "$to/chromium-http2.truth.json" \
    --ignore-certificate-errors

# Of socket.io's own script, which is large, the text is left out.
for name in chromium playwright mitmproxy; do
    node -e '
        const [path] = process.argv.slice(1), fs = require("fs"), har = JSON.parse(fs.readFileSync(path));
        for (const { response: { content } } of har.log.entries) if (content.text?.length > 4096) delete content.text;
        fs.writeFileSync(path, JSON.stringify(har, null, 1) + "\n");' "$to/$name.har"
done
"$work/python/bin/mitmdump" --version | head -1
