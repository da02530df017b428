#!/usr/bin/env bash
# ClickHouse 26.9.2 (chdb-core 26.9.0): `CHECK GRANT` answers with rows, as a SELECT does, and takes no FORMAT clause, unlike `SHOW GRANTS`
# beside it. A client that appends one to every statement whose rows it reads cannot ask for a right.
#
# Seen: `1` for `CHECK GRANT SELECT ON system.one`, 62 SYNTAX_ERROR for the same with `FORMAT JSON`, and no error for `SHOW GRANTS FORMAT JSON`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet chdb-core==26.9.0
"$dir/venv/bin/python" - <<'PY'
import chdb
ask = chdb.connect(":memory:").query
print(ask("SELECT version()", "TabSeparated"))
plain = str(ask("CHECK GRANT SELECT ON system.one", "TabSeparated")).strip()
try:
    ask("CHECK GRANT SELECT ON system.one FORMAT JSON")
    formatted = "no error"
except Exception as error:
    formatted = str(error).split(":")[0] + (" SYNTAX_ERROR" if "Syntax error" in str(error) else "")
shown = "GRANT" in str(ask("SHOW GRANTS FORMAT JSON"))
print(plain, formatted, shown, sep=" | ")
assert (plain, formatted, shown) == ("1", "Code SYNTAX_ERROR", True)
PY
