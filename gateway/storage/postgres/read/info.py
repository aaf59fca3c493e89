"""What is known of a database beside its rows: sizes, gateways, and how far behind readers are."""

from collections.abc import Mapping

from gateway.storage.info import DiskUse, RunningGateway, StoreInfo
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.read.horizon import find_holder

PART_OF: Mapping[str, str] = {
    **dict.fromkeys(("events", "log_times"), "log"),
    **{name: name for name in ("receipts", "raws", "blobs")},
    **dict.fromkeys(("keys", "claims"), "dedupe"),
    **dict.fromkeys(("quarantined_requests", "quarantined_keys", "quarantine_sizes", "settled"), "quarantine"),
    **dict.fromkeys(("rejected", "rejected_sizes", "rejected_counts", "rejected_buckets"), "rejected"),
}
"""What the bytes of a table are of; those of all others, and of the database's own, are `other`."""
LOST_AFTER = "interval '60 seconds'"
SIZES = (
    "SELECT coalesce(parent.relname, own.relname), sum(pg_total_relation_size(own.oid))::bigint, count(parent.oid) "
    "FROM pg_class own LEFT JOIN pg_inherits ON inhrelid = own.oid LEFT JOIN pg_class parent ON parent.oid = inhparent "
    "WHERE own.relnamespace = 'gateway'::regnamespace AND own.relkind = 'r' GROUP BY 1 ORDER BY 1"
)
DATABASE_BYTES = "SELECT pg_database_size(current_database())"
RUNNING = (
    "SELECT host, version, (extract(epoch FROM seen_at) * 1000)::bigint FROM gateway.gateways "
    f"WHERE seen_at > now() - {LOST_AFTER} ORDER BY gateway"
)


async def info(db: Connection) -> StoreInfo:
    """Return what is known of the database of an open transaction."""
    sizes = await db.fetch(SIZES)
    holder = await find_holder(db)
    return StoreInfo(
        engine=f"PostgreSQL {db.get_server_version().major}",
        schema=await db.fetchval("SELECT version FROM gateway.meta"),
        bytes=await db.fetchval(DATABASE_BYTES),
        parts={name: size for name, size, _ in sizes},
        running=[
            RunningGateway(host=host, version=version, seen=seen) for host, version, seen in await db.fetch(RUNNING)
        ],
        partitions=sum([count for name, _, count in sizes if name == "events"]),
        lag=None if holder is None else holder.seconds,
        held_by=None if holder is None else f"process {holder.pid} ({holder.application or 'unnamed'}, {holder.state})",
    )


async def disk_use(db: Connection) -> DiskUse:
    """Return what the database of an open transaction takes. How much its server's disk has left is not known."""
    parts = dict.fromkeys((*PART_OF.values(), "other"), 0)
    for name, size, _ in await db.fetch(SIZES):
        parts[PART_OF.get(name, "other")] += size or 0
    whole: int = await db.fetchval(DATABASE_BYTES)
    parts["other"] += max(0, whole - sum(parts.values()))
    return DiskUse(bytes=sum(parts.values()), parts=parts)
