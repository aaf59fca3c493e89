"""Databases with the gateway's tables, lent to one check after the other: one is emptied sooner than it is made."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import attrs

from gateway.storage.engines import open_store
from gateway.testing.postgres.server import Server

TEMPLATE = "prepared"
NUMBERS = itertools.count(1)
OURS = "nspname !~ '^pg_' AND nspname <> 'information_schema'"
MOST = 32 << 20
"""Bytes of a database that is still emptied."""

SHAPE = f"""
SELECT md5(string_agg(line, ';' ORDER BY line)) || (pg_database_size(current_database()) < {MOST}) FROM (
    SELECT concat_ws(',', 'relation', oid::regclass, relkind, reloptions, relacl, pg_get_expr(relpartbound, oid))
        FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE {OURS})
    UNION ALL SELECT concat_ws(',', 'column', attrelid::regclass, attname, atttypid, attnotnull, attisdropped)
        FROM pg_attribute WHERE attrelid IN
            (SELECT oid FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE {OURS}))
    UNION ALL SELECT concat_ws(',', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace IN (SELECT oid FROM pg_namespace WHERE {OURS})
    UNION ALL SELECT concat_ws(',', 'trigger', tgrelid::regclass, tgname) FROM pg_trigger
    UNION ALL SELECT concat_ws(',', 'function', proname)
        FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE {OURS})
    UNION ALL SELECT concat_ws(',', 'schema', nspname, nspacl) FROM pg_namespace WHERE {OURS}
    UNION ALL SELECT concat_ws(',', 'setting', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS lines (line)
"""
"""All that a check may have changed besides rows."""

ALONE = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';
"""
FILLED = f"""
SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
    WHERE relkind = 'r' AND pg_relation_size(oid) > 0
        AND relnamespace IN (SELECT oid FROM pg_namespace WHERE {OURS})
"""
PARTITIONS = """
DO $$ DECLARE part regclass; BEGIN
    FOR part IN SELECT oid FROM pg_class
        WHERE relispartition AND relkind = 'r' AND NOT oid::regclass::text = ANY ('{kept}')
    LOOP EXECUTE 'DROP TABLE ' || part; END LOOP;
END $$;
"""
"""Drops the partitions that a check came to need. The others are there from the beginning."""
EMPTIED = f"""
DO $$ DECLARE filled text := ({FILLED}); BEGIN
    IF filled IS NOT NULL THEN EXECUTE 'TRUNCATE ' || filled || ' RESTART IDENTITY CASCADE'; END IF;
END $$;
"""
ROWS = """
SELECT format(
    'INSERT INTO %1$s OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::%1$s, %2$L);',
    '{table}', json_agg(t)
) FROM {table} AS t
"""
NUMBERED = """
SELECT format('SELECT setval(%L, %s, %L);', format('%I.%I', schemaname, sequencename),
    coalesce(last_value, start_value), last_value IS NOT NULL)
    FROM pg_sequences
"""


@attrs.define
class Databases:
    """The databases of one server that have the gateway's tables. `free` are those that nobody uses."""

    server: Server
    free: list[str] = attrs.field(factory=list)
    _empty: str = ""
    _shape: list[str] = attrs.field(factory=list)

    @contextlib.contextmanager
    def one(self) -> Iterator[str]:
        """Lend a database without a row, by its URL."""
        if not self._empty:
            self._prepare()
        if self.free:
            name, url = self.free[-1], self.server.url(self.free.pop())
        else:
            name = f"prepared_{next(NUMBERS)}"
            url = self.server.create_database(name, like=TEMPLATE)
        yield url
        if self._emptied(name):
            self.free.append(name)
        else:
            self.server.drop_database(name)

    def _prepare(self) -> None:
        store = open_store(self.server.create_database(TEMPLATE))
        with ThreadPoolExecutor(1) as thread:  # the one of an asynchronous test has a loop already
            thread.submit(lambda: asyncio.run(store.prepare())).result()
        [filled] = self.server.sql(FILLED, TEMPLATE)
        first = [line for table in filled.split(", ") for line in self.server.sql(ROWS.format(table=table), TEMPLATE)]
        rows = [row for row in first if row]
        present = self.server.sql("SELECT oid::regclass FROM pg_class WHERE relispartition AND relkind = 'r'", TEMPLATE)
        partitions = PARTITIONS.replace("kept", ", ".join(present))
        self._empty = "".join([ALONE, partitions, EMPTIED, *rows, *self.server.sql(NUMBERED, TEMPLATE)])
        self._shape = self.server.sql(SHAPE, TEMPLATE)

    def _emptied(self, name: str) -> bool:
        """Return whether a database is as it was at first. It is not where a test changed tables or wrote much."""
        try:
            return self.server.sql(f"{self._empty}{SHAPE}", name)[-1:] == self._shape
        except AssertionError:  # of a test that changed a table, or dropped it
            return False
