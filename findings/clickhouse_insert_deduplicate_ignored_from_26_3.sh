#!/usr/bin/env bash
# ClickHouse 26.1.2 (chdb-core 26.1.0), 26.3.9 (chdb-core 26.3.0) and 26.9.2 (chdb-core 26.9.0): `insert_deduplicate = 0` is what switches
# deduplication of blocks off up to 26.1. From 26.3 on it is still accepted, shown as changed in system.settings, and does nothing:
# a new setting, `deduplicate_insert`, decides, which 26.1 does not know. A client that goes on sending the old one over an
# upgrade of its server loses each block that it means to write a second time, without an error.
#
# Seen: of the same row inserted twice with `insert_deduplicate = 0`, into a table with a deduplication window, 2 rows on 26.1 and 1 row
# on 26.3 and 26.9; with `deduplicate_insert = 'disable'` 2 rows on 26.3 and 26.9.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ask() {
    python3 -m venv "$dir/$1"
    "$dir/$1/bin/pip" install --quiet "$1"
    "$dir/$1/bin/python" - <<'PY'
import chdb
ask = chdb.connect(":memory:").query
table = "ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100"

def rows(table_name, setting):
    ask(f"CREATE TABLE {table_name} (x UInt8) {table}")
    try:
        ask(f"SET {setting}")
    except Exception as error:
        assert "UNKNOWN_SETTING" in str(error), error
        return "unknown"
    for _ in range(2):
        ask(f"INSERT INTO {table_name} VALUES (1)")
    return str(ask(f"SELECT count() FROM {table_name}")).strip()

ask("CREATE DATABASE d")
ask("USE d")
version = str(ask("SELECT version()", "TabSeparated")).strip()
print(version, rows("a", "insert_deduplicate = 0"), rows("b", "deduplicate_insert = 'disable'"))
PY
}

seen=$(ask chdb-core==26.1.0; ask chdb-core==26.3.0; ask chdb-core==26.9.0)
echo "$seen"
[ "$(echo "$seen" | tr '\n' ',')" = "26.1.2.1 2 unknown,26.3.9.1 1 2,26.9.2.1 1 2," ]
