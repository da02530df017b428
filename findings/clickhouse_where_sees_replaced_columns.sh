#!/usr/bin/env bash
# ClickHouse 26.9.2 (chdb 4.4.0 with chdb-core 26.9.0): in `SELECT * REPLACE (expr AS c) FROM t WHERE c = …` the condition is on
# the replaced value, not on the column of the table. An `INSERT ... SELECT * REPLACE` that is meant to copy some rows with one
# column changed copies other rows than its condition says, or none, without an error.
#
# Seen: of a table with v = 3, the query with `REPLACE (v + 10 AS v) WHERE v = 3` gives no row and `WHERE v = 13` gives one; with the
# table's name before the column (`WHERE t.v = 3`) it is the column that counts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet chdb==4.4.0 chdb-core==26.9.0
"$dir/venv/bin/python" - <<'PY'
import chdb

def ask(condition):
    table = "(SELECT 3 AS v) AS t"
    return str(chdb.query(f"SELECT count() FROM (SELECT * REPLACE (v + 10 AS v) FROM {table} WHERE {condition})")).strip()

version = str(chdb.query("SELECT version()")).strip().strip('"')
seen = {condition: ask(condition) for condition in ("v = 3", "v = 13", "t.v = 3")}
print(version, seen)
assert version.startswith("26.9.2"), version
assert seen == {"v = 3": "0", "v = 13": "1", "t.v = 3": "1"}, seen
PY
