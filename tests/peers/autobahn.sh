#!/bin/sh
# Runs the Autobahn testsuite (25.10.1) against `wstool serve` and `wstool connect --echo`, all of it on loopback,
# and counts its verdicts. The suite needs Python 2.7; whatever it needs else is put into target/autobahn.
#
#     tests/peers/autobahn.sh PYTHON2.7 target/release/wstool ['"1.*", "7.*"']
set -eu
python27=$1 wstool=$2 cases=${3:-'"*"'}
to=$(cd "$(dirname "$0")/../.." && pwd)/target/autobahn
mkdir -p "$to"
if [ ! -x "$to/py27/bin/wstest" ]; then
    python3 -m venv "$to/tool"
    "$to/tool/bin/pip" install --quiet 'virtualenv<20.22' setuptools
    "$to/tool/bin/virtualenv" --quiet --python "$python27" "$to/py27"
    # What its repository pins, which its package forgets.
    "$to/py27/bin/pip" install --quiet --disable-pip-version-check setuptools==44.0.0 txaio==2.1.0 \
        incremental==16.10.1 pyOpenSSL==19.1.0 cryptography==3.3.2 Twisted==19.10.0 zope.interface==4.6.0 \
        jinja2==2.11.3 markupsafe==1.1.1 Werkzeug==1.0.1 klein==17.10.0 service_identity==18.1.0 \
        unittest2==1.1.0 six==1.16.0 'ujson<3' wsaccel==0.6.2 'autobahn[twisted,accelerate]==0.10.9'
    "$to/py27/bin/pip" install --quiet --disable-pip-version-check --no-deps autobahntestsuite==25.10.1
    # It would listen on every interface.
    sed -i.all "s/listenWS(factory, sslContext)/listenWS(factory, sslContext, interface='127.0.0.1')/" \
        "$to"/py27/lib/python2.7/site-packages/autobahntestsuite/fuzzing.py
fi
server=127.0.0.1:9371 client=127.0.0.1:9372
rm -rf "$to/servers" "$to/clients"
cat >"$to/client.json" <<END
{"outdir": "$to/servers", "servers": [{"agent": "wstool", "url": "ws://$server/echo"}],
 "cases": [$cases], "exclude-cases": [], "exclude-agent-cases": {}}
END
cat >"$to/server.json" <<END
{"url": "ws://$client", "outdir": "$to/clients", "cases": [$cases], "exclude-cases": [], "exclude-agent-cases": {}}
END
"$wstool" serve ws --view none --listen "$server" >"$to/serve.log" 2>&1 &
serve=$!
"$to/py27/bin/wstest" -m fuzzingserver -u 0 -s "$to/server.json" >"$to/fuzzingserver.log" 2>&1 &
fuzzing=$!
trap 'kill $serve $fuzzing 2>/dev/null' EXIT
at=ws://$client
until count=$("$wstool" connect --count 1 "$at/getCaseCount" </dev/null 2>/dev/null); do sleep 1; done
"$to/py27/bin/wstest" -m fuzzingclient -s "$to/client.json" >"$to/fuzzingclient.log" 2>&1
case=0
while [ "$case" -lt "$count" ]; do
    case=$((case + 1))
    # It exits with 1 where a case ends with anything but 1000 or 1001, as many should.
    "$wstool" connect --echo "$at/runCase?case=$case&agent=wstool" </dev/null >"$to/case.log" 2>&1 || true
done
"$wstool" connect "$at/updateReports?agent=wstool" </dev/null >/dev/null 2>&1
python3 - "$to" <<'END'
import collections, json, sys
for side in "servers", "clients":
    cases = json.load(open(f"{sys.argv[1]}/{side}/index.json"))["wstool"]
    chapters = collections.defaultdict(collections.Counter)
    for case, it in cases.items():
        chapters[int(case.split(".")[0])][it["behavior"], it["behaviorClose"]] += 1
    print(f"{side}: {len(cases)} cases")
    for chapter in sorted(chapters):
        said = ", ".join(f"{n} {' / '.join(sorted(set(both)))}" for both, n in chapters[chapter].items())
        print(f"  {chapter:2} {said}")
    for case, it in sorted(cases.items()):
        if (it["behavior"], it["behaviorClose"]) != ("OK", "OK"):
            print(f"  {case}: {it['behavior']}, close {it['behaviorClose']} ({it['remoteCloseCode']})")
END
