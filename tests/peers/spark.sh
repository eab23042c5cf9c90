#!/bin/sh
# Runs the SQL of docs/many.md with Spark in local mode, and compares what it gives with the page.
# By hand: PySpark is 400 MB, and needs Java 17. What cannot be had is said in a line.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
to=${1:-"$root/target/spark"}
command -v java >/dev/null || { echo "skipped: no Java"; exit 0; }
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }
if ! [ -d "$to/python/pyspark" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --target "$to/python" "pyspark>=4,<5" ||
        { echo "skipped: pip cannot install pyspark"; exit 0; }
fi
cd "$root"
cargo build --quiet --bin wstool
rm -rf "$to/tables"
mkdir -p "$to"
PYTHONPATH="$to/python" WSTOOL="$root/target/debug/wstool" exec python3 "$here/spark.py" docs/many.md "$to"
