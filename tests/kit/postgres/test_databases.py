"""A database that one test gives back is, for the next one, as if it were new; or it is not lent again."""

from gateway.testing.postgres.databases import TEMPLATE, Databases
from gateway.testing.postgres.installation import wheel
from gateway.testing.postgres.server import Server

TABLES = "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'gateway'::regnamespace ORDER BY 1"
NUMBERS = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
CHANGES = (
    "ALTER TABLE gateway.blobs ADD COLUMN further text",
    "DROP TABLE gateway.blobs CASCADE",
    "CREATE SCHEMA other",
    "ALTER DATABASE \"{name}\" SET work_mem = '1MB'",
)


def test_what_a_test_wrote_is_gone_and_what_it_changed_is_lent_to_nobody() -> None:
    with Server.started(wheel()) as server:
        databases = Databases(server)
        with databases.one() as first:
            name = first.rsplit("/", 1)[1]
            server.sql("UPDATE gateway.state SET numbers_given = 7; DELETE FROM gateway.meta", name)
            server.sql("INSERT INTO gateway.blobs VALUES ('shop', 'a', 'b')", name)
            server.sql("SELECT nextval('gateway.rejected_ids'), nextval('gateway.rejected_ids')", name)
        with databases.one() as again:
            assert again == first
            tables = server.sql(TABLES, name)
            everything = ";".join([*(f"SELECT '{table}'; TABLE {table}" for table in tables), NUMBERS])
            assert (len(tables) > 20, server.sql(everything, name)) == (True, server.sql(everything, TEMPLATE))
        for change in CHANGES:
            with databases.one() as url:
                changed = url.rsplit("/", 1)[1]
                server.sql(change.format(name=changed), changed)
            assert databases.free == []
            assert server.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{changed}'") == ["0"]
