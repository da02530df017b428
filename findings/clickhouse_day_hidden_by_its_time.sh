#!/usr/bin/env bash
# ClickHouse 26.9.2 (chdb-core 26.9.0): with the sorting key `(toDate(at), id, at)` a range of `at` prunes nothing, since only the key column
# `at` itself is used for it, which stands last. With `(toDate(at), id)` the same range is understood as one of days, and prunes. So a time
# that is added to the end of a key, to tell rows apart, makes a question about one day read everything; a minmax skip index on it helps.
#
# Seen for one day of 31 (89,280 rows, granules of 512): 174 of 174 granules with the time in the key, 12 of 174 without it. On 25.8.2
# (chdb 3.7.2) it was the same.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet chdb-core==26.9.0
"$dir/venv/bin/python" - <<'PY'
import chdb
connection = chdb.connect(":memory:")
ask = lambda query: str(connection.query(query, "TabSeparated")).strip()
print(ask("SELECT version()"))
day = "at >= toDateTime('2026-01-10', 'UTC') AND at < toDateTime('2026-01-11', 'UTC')"
granules = []
for table, key in (("with_time", "(toDate(at), id, at)"), ("without_time", "(toDate(at), id)")):
    ask(f"CREATE TABLE {table} (at DateTime('UTC'), id UInt32) ENGINE = MergeTree ORDER BY {key} SETTINGS index_granularity = 512")
    ask(f"INSERT INTO {table} SELECT toDateTime('2026-01-01', 'UTC') + number * 30, number % 997 FROM numbers(89280)")
    ask(f"OPTIMIZE TABLE {table} FINAL")
    plan = ask(f"EXPLAIN indexes = 1 SELECT count(id) FROM {table} WHERE {day}")
    granules += [line.split(":")[1].strip() for line in plan.splitlines() if line.strip().startswith("Granules:")]
print(granules)
assert granules == ["174/174", "12/174"]
PY
