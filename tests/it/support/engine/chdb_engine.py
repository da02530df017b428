"""chDB of any release as one engine: statements in, bytes, costs and exceptions out.

What a server of the same release does and chDB does not is made up for here, and nothing else:

- chDB 1 and 2 (ClickHouse up to 24) have one engine a process and no connections; there `SET ... = DEFAULT` sets nothing back,
  so that settings are set back to what they were at first.
- They set again at each call what was set before, and leave the quotes of words away, which are no values then: what is so already is
  not set.
- They read a file of rows as if it had all columns of the table, those that the INSERT leaves out included. So they read it as a
  table of the columns that are named.
- They load all tables anew for every call, and a part of which ALTER ... DELETE has left nothing is there again. It is dropped.
- A query's cost is what the engine says. Before 26.7 rows that were written are taken from the engine's counter. Before 25
  rows that were read are not told at all, and so they are missing from the summary.
- The 23.10 of chDB 1 has no database `default`, and was built without `system.parts`. What the warehouse asks of it is answered from the
  virtual columns of the tables.
"""

import os
import re
import threading
import xml.etree.ElementTree

import chdb

INSERT_WITH_ROWS = re.compile(r"^\s*(INSERT\s+INTO\s.+?)\s+FORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE | re.DOTALL)
INTO_COLUMNS = re.compile(r"INSERT\s+INTO\s+(\w+)\s*\(([^()]*)\)$", re.IGNORECASE)
INSERT = re.compile(r"^\s*(--[^\n]*\n\s*)*INSERT\b", re.IGNORECASE)
DELETE = re.compile(
    r"^\s*ALTER\s+TABLE\s+(\S+)\s+DELETE\s+(?:IN\s+PARTITION\s+(\S+)\s+)?WHERE\s+(.+?)(\s+SETTINGS\s.*)?$",
    re.IGNORECASE | re.DOTALL,
)
PARTS = re.compile(r"\bsystem\.parts\b")


class Refused(Exception):
    """An answer that is an exception."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def exception(error):
    """What the engine says, as code and text."""
    text = str(error)
    found = re.search(r"Code: (\d+)\. DB::", text)
    return Refused(int(found.group(1)) if found else 1002, text[found.start():] if found else text)


def quoted(name):
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def escaped(text):
    return text.replace("\\", "\\\\").replace("'", "\\'")


def profile(users):
    """The settings of the one profile in a file of users."""
    settings = xml.etree.ElementTree.parse(users).find("profiles/default")
    return {setting.tag: setting.text or "" for setting in settings if setting.tag != "constraints"}


def setting(name, value):
    return f"SET {name} = '{escaped(value)}'"


class Connection:
    """chDB 3 and newer."""

    def __init__(self, path, users):
        self.connection = chdb.connect(f"{path}?config-file={users}" if users else path)
        self.profile = profile(users) if users else {}

    def ask(self, sql, form="TabSeparated"):
        return self.connection.query(sql, form)

    def run(self, database, settings, sql, form):
        """A statement with its settings, which are set back to what the profile says, or else to the default."""
        self.use(database)
        self.set({name: f"'{escaped(value)}'" for name, value in settings})
        try:
            return self.ask(sql, form)
        finally:
            names = [name for name, _ in settings]
            self.set({name: f"'{escaped(self.profile[name])}'" for name in names if name in self.profile})
            self.set({name: "DEFAULT" for name in names if name not in self.profile})

    def use(self, database):
        try:
            self.ask(f"USE {quoted(database)}")
        except Exception as error:
            # The parameter of HTTP needs no right, as the statement does.
            if exception(error).code != 497:
                raise

    def set(self, settings):
        if settings:
            self.ask("SET " + ", ".join(f"{name} = {value}" for name, value in settings.items()))

    def insert(self, _, statement, form, file):
        """A statement that inserts the rows of a file."""
        return f"{statement} FROM INFILE '{escaped(file)}' FORMAT {form}"

    def close(self):
        self.connection.close()


class Process:
    """chDB 1 and 2. A call is slow and takes several statements; its answer is that of the last."""

    def __init__(self, path):
        self.path = path
        self.values = {}
        self.changed = set()
        self.ask("CREATE DATABASE IF NOT EXISTS default")

    def ask(self, sql, form="TabSeparated"):
        return chdb.query(sql, form, path=self.path)

    def run(self, database, settings, sql, form):
        """A statement with its settings. Those of the statement before it are set back in the same call."""
        settings = [(name, value) for name, value in settings if self.value(name) != value]
        known = {name for name, _ in settings if self.value(name) is not None}
        back = [(name, self.values[name]) for name in sorted(self.changed - known)]
        self.changed |= known
        sets = [setting(name, value) for name, value in [*back, *settings]]
        result = self.ask(";\n".join([f"USE {quoted(database)}", *sets, sql]), form)
        self.changed = known
        if deletion := DELETE.match(sql):
            self.drop_parts(*deletion.group(1, 2, 3))
        return result

    def drop_parts(self, table, partition, condition):
        """Drops the parts that have rows again which were deleted: in the first calls behind the deletion none has."""
        within = f" AND _partition_id = '{partition}'" if partition else ""
        looks = 0
        for _ in range(30):
            found = self.ask(f"SELECT DISTINCT _part FROM {table} WHERE ({condition}){within}").bytes().decode()
            looks = 0 if found else looks + 1
            if looks == 3:
                return
            for part in found.splitlines():
                try:
                    self.ask(f"ALTER TABLE {table} DROP PART '{part}'")
                except Exception as error:
                    # The engine itself is at it.
                    if "NO_SUCH_DATA_PART" not in str(error):
                        raise
        raise Refused(341, "Code: 341. DB::Exception: Rows that were deleted are there again. (UNFINISHED)")

    def value(self, name):
        """What a setting was at first; nothing where there is no such setting."""
        if name not in self.values:
            sql = f"SELECT value FROM system.settings WHERE name = '{escaped(name)}' FORMAT TabSeparatedRaw"
            answer = self.ask(sql).bytes().decode()
            self.values[name] = answer.removesuffix("\n") if answer else None
        return self.values[name]

    def insert(self, database, statement, form, file):
        """A statement that inserts the rows of a file."""
        into = INTO_COLUMNS.match(statement)
        if into is None:
            return f"{statement} FROM INFILE '{escaped(file)}' FORMAT {form}"
        table = f"database = '{escaped(database)}' AND table = '{into.group(1)}'"
        found = self.ask(f"SELECT name, type FROM system.columns WHERE {table} FORMAT TabSeparatedRaw").bytes().decode()
        types = dict(line.split("\t") for line in found.splitlines())
        columns = [name.strip() for name in into.group(2).split(",")]
        structure = ", ".join(f"{name} {types.get(name, 'String')}" for name in columns)
        return f"{statement} SELECT * FROM file('{escaped(file)}', {form}, '{escaped(structure)}')"

    def close(self):
        pass


class Engine:
    """The engine of this process. One statement after the other."""

    def __init__(self, path, users=None):
        self.engine = Connection(path, users) if hasattr(chdb, "connect") else Process(path)
        self.file = os.path.join(path, "rows.bin")
        self.lock = threading.Lock()
        self.has_parts, self.counts_written = True, False
        # A profile may keep this from being answered.
        if not users:
            parts = self.engine.ask("SELECT 1 FROM system.tables WHERE database = 'system' AND name = 'parts'")
            self.has_parts = bool(parts.bytes())
            self.counts_written = not hasattr(parts, "rows_written")
        self.known_inserted = None

    def run(self, sql, rows, database, form, settings):
        """The bytes of an answer, and what it cost."""
        with self.lock:
            try:
                return self.answer(sql, rows, database, form, settings)
            except Refused:
                raise
            except Exception as error:  # The engine has several kinds of exceptions, all with the same text.
                raise exception(error) from None

    def answer(self, sql, rows, database, form, settings):
        insert = INSERT_WITH_ROWS.match(sql)
        if insert is not None and rows is not None:
            if not rows:
                return b"", {}
            # By a file: chDB's own streaming insert does not look at constraints, and a statement with its rows behind it is
            # cut at the first empty line.
            with open(self.file, "wb") as file:
                file.write(rows)
            sql = self.engine.insert(database, insert.group(1), insert.group(2), self.file)
        elif not self.has_parts and PARTS.search(sql):
            stand_in = self.parts(database)
            sql = PARTS.sub(lambda _: stand_in, sql)
        if not self.counts_written or INSERT.match(sql) is None:
            result = self.engine.run(database, settings, sql, form)
            return result.bytes(), summary(result, 0)
        # One that fails may have inserted some rows.
        before, self.known_inserted = self.known_inserted, None
        before = self.inserted() if before is None else before
        result = self.engine.run(database, settings, sql, form)
        self.known_inserted = self.inserted()
        return result.bytes(), summary(result, self.known_inserted - before)

    def inserted(self):
        """Rows that were ever inserted, those of views included."""
        answer = self.engine.ask("SELECT value FROM system.events WHERE event = 'InsertedRows'").bytes()
        return int(answer or 0)

    def parts(self, database):
        """The parts of a database's tables, to be read in the place of `system.parts`."""
        name = escaped(database)
        found = self.engine.ask(f"SELECT name FROM system.tables WHERE database = '{name}' AND engine LIKE '%MergeTree'")
        tables = found.bytes().decode().split()
        of_table = (
            f"SELECT '{name}' AS database, '{table}' AS table, _partition_id AS partition_id, _part AS name, count() AS rows, "
            f"toUInt8(0) AS has_lightweight_delete, 1 AS active FROM {quoted(database)}.{quoted(table)} GROUP BY _partition_id, _part"
            for table in tables
        )
        nothing = (
            "SELECT '' AS database, '' AS table, '' AS partition_id, '' AS name, toUInt64(0) AS rows, "
            "toUInt8(0) AS has_lightweight_delete, 1 AS active WHERE 0"
        )
        return "(" + " UNION ALL ".join([*of_table, nothing]) + ")"

    def close(self):
        with self.lock:
            self.engine.close()


def summary(result, written):
    """What a query cost, as a server says it: all numbers are text. Where the engine tells more than was counted, that stands."""
    names = {
        "read_rows": "storage_rows_read", "read_bytes": "storage_bytes_read", "written_rows": "rows_written",
        "written_bytes": "bytes_written",
    }
    cost = {name: getattr(result, method)() for name, method in names.items() if hasattr(result, method)}
    cost = {"written_rows": written, "elapsed_ns": int(result.elapsed() * 1e9)} | cost
    return {name: str(value) for name, value in cost.items()}
