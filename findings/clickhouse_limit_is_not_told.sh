#!/usr/bin/env bash
# ClickHouse 26.1.2 (chdb-core 26.1.0) and 26.9.2 (chdb-core 26.9.0): the setting `limit` cuts the result of every SELECT, but
# system.settings says that its value is 0, and so does getSetting, while it is in force. Whoever looks there before trusting a
# count does not see it. That it was changed is told.
#
# Seen: after `SET limit = 3` nine numbers come as three, and system.settings has value 0 and changed 1; getSetting('limit') gives what is
# printed beside it. A limit of rows of another kind, `max_result_rows = 3`, is told as 3.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ask() {
    python3 -m venv "$dir/$1"
    "$dir/$1/bin/pip" install --quiet "$1"
    "$dir/$1/bin/python" - <<'PY'
import chdb
connection = chdb.connect(":memory:")
ask = lambda sql: " ".join(str(connection.query(sql, "TabSeparated")).split())
version = ask("SELECT version()")
ask("SET limit = 3")
told = ask("SELECT value, changed FROM system.settings WHERE name = 'limit'")
print(version, len(ask("SELECT number FROM numbers(9)").split()), told, ask("SELECT getSetting('limit')"), end=" ")
ask("SET limit = 0")
ask("SET max_result_rows = 3")
print(ask("SELECT value FROM system.settings WHERE name = 'max_result_rows'"))
PY
}

seen=$(ask chdb-core==26.1.0; ask chdb-core==26.9.0)
echo "$seen"
[ "$(echo "$seen" | tr '\n' ',')" = "26.1.2.1 3 0 1 0 3,26.9.2.1 3 0 1 0 3," ]
