#!/bin/bash
# Records the captures in .. (see README.md there): conversations of other protocols.
#
#     record.sh [NAME...]     all of them, or those named
#
# Needs root on a Debian or Ubuntu: each conversation runs in a network namespace of its own, so
# ports are free and nothing of the machine's own traffic comes in. `record.sh --install` installs
# the programs; those of Python go into a virtual environment beside the temporary files.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")
. "$here/services.sh"

if [ "${1-}" = --install ]; then
    apt-get install -y --no-install-recommends $packages
    exit
fi

# Inside a namespace: capture, converse, cut to size.
if [ "${1-}" = --inside ]; then
    this=$2 work=$3
    cd "$work" || exit 1
    ip link set lo mtu 1500 gso_max_segs 1 up
    tcpdump -q -i lo -s 2048 -B 8192 -U --immediate-mode -w whole.pcap tcp 2>tcpdump.log &
    tcpdump=$!
    until grep -qs listening tcpdump.log; do sleep 0.05; done
    if declare -F "real_$this" >/dev/null; then
        "real_$this" </dev/null >said.log 2>&1
    elif grep -q "^def $this(" "$here/peers.py"; then
        "$python" "$here/peers.py" "$this" </dev/null >said.log 2>&1
    else
        "$python" "$here/generate.py" "$this" </dev/null >said.log 2>&1
    fi
    sleep 0.3
    kill -INT $tcpdump
    wait $tcpdump
    trap - EXIT
    "$python" "$here/trim.py" whole.pcap "$out/$this.pcap.gz" || { tail -5 said.log >&2; exit 1; }
    exit
fi

top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
export python=${PYTHON:-$top/venv/bin/python}
if [ -z "${PYTHON-}" ]; then
    python3 -m venv "$top/venv"
    "$top/venv/bin/pip" -q install $modules
fi
[ $# -gt 0 ] || set -- $(tail -n +2 "$out/INDEX.tsv" | cut -f 1)
for name; do
    mkdir -p "$top/$name"
    chmod 777 "$top/$name"
    # Servers end with their process namespace.
    timeout -k 1 60 unshare --net --pid --fork --kill-child --mount-proc \
        bash "$here/record.sh" --inside "$name" "$top/$name" || echo "$name: failed" >&2
    [ -n "${KEEP-}" ] && cp "$top/$name/said.log" "$KEEP/$name.log"
    rm -rf "${top:?}/$name"
done
