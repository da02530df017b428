#!/usr/bin/env bash
# ClickHouse 23.10.1 (chdb 1.4.1), 25.8.2 (chdb 3.7.2), 26.7.2 (chdb-core 26.7.3) and 26.9.2 (chdb-core 26.9.0): in a column's declaration
# `CODEC(...) COMMENT '...'` is a syntax error up to 26.7 and read by 26.9; `COMMENT '...' CODEC(...)` is read by all of them. So a
# table that was written on the newest release may be refused by every other.
#
# Seen: 62 SYNTAX_ERROR for CODEC in front of COMMENT on the first three, and no error on 26.9.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Its version, and of each order 1 where it is read and 0 where it is a syntax error: first COMMENT, then CODEC in front.
ask() {
    python3 -m venv "$dir/$1"
    "$dir/$1/bin/pip" install --quiet "$1"
    "$dir/$1/bin/python" - "$2" "$dir/data-$1" <<'PY' 2>/dev/null
import sys, chdb
version, path = sys.argv[1:]
ask = chdb.connect(path).query if hasattr(chdb, "connect") else lambda sql: chdb.query(sql, path=path)
found = str(ask("SELECT version()")).strip().strip('"')
def reads(declaration):
    try:
        ask(f"SELECT formatQuery('CREATE TABLE t (x String {declaration}) ENGINE = Null')")
        return 1
    except Exception as error:
        assert "SYNTAX_ERROR" in str(error), error
        return 0
seen = reads("COMMENT \\'c\\' CODEC(ZSTD(3))"), reads("CODEC(ZSTD(3)) COMMENT \\'c\\'")
print(found, *seen)
assert found.startswith(version), found
PY
}

seen=$(ask chdb==1.4.1 23.10.1; ask chdb==3.7.2 25.8.2; ask chdb-core==26.7.3 26.7.2; ask chdb-core==26.9.0 26.9.2)
echo "$seen"
[ "$(echo "$seen" | cut -d' ' -f2- | tr '\n' ',')" = "1 0,1 0,1 0,1 1," ]
