"""A database that one test gives back is, for the next one, as if it were new; or it is not lent again."""

from tests.kit.postgres.cluster import Cluster
from tests.kit.postgres.installation import wheel
from tests.kit.postgres.prepared import TEMPLATE, Databases

TABLES = "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'gateway'::regnamespace ORDER BY 1"
NUMBERS = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
CHANGES = (
    "ALTER TABLE gateway.blobs ADD COLUMN further text",
    "DROP TABLE gateway.blobs CASCADE",
    "CREATE SCHEMA other",
    "ALTER DATABASE \"{name}\" SET work_mem = '1MB'",
)


def test_what_a_test_wrote_is_gone_and_what_it_changed_is_lent_to_nobody() -> None:
    with Cluster.started(wheel()) as cluster:
        databases = Databases(cluster)
        with databases.one() as first:
            name = first.rsplit("/", 1)[1]
            cluster.sql("UPDATE gateway.state SET numbers_given = 7; DELETE FROM gateway.meta", name)
            cluster.sql("INSERT INTO gateway.blobs VALUES ('shop', 'a', 'b')", name)
            cluster.sql("SELECT nextval('gateway.rejected_ids'), nextval('gateway.rejected_ids')", name)
        with databases.one() as again:
            assert again == first
            tables = cluster.sql(TABLES, name)
            everything = ";".join([*(f"SELECT '{table}'; TABLE {table}" for table in tables), NUMBERS])
            assert (len(tables) > 20, cluster.sql(everything, name)) == (True, cluster.sql(everything, TEMPLATE))
        for change in CHANGES:
            with databases.one() as url:
                changed = url.rsplit("/", 1)[1]
                cluster.sql(change.format(name=changed), changed)
            assert databases.free == []
            assert cluster.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{changed}'") == ["0"]
