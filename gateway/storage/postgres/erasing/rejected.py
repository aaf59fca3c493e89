"""Erases rejected requests that have a person's id: those of the project, and those of nobody known."""

import asyncpg

from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.erasing.events import VACUUM, to_do
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.pages import Table, pages
from gateway.storage.postgres.rejected import LOCK

TEXTS = ("faults", "method", "path", "query", "headers", "client_ip", "site", "origin", "request_id", "replayed")
REJECTED = Table("rejected", "id", f"id, body, {', '.join(TEXTS)}", 100)
DELETE = """
WITH gone AS (
    DELETE FROM gateway.rejected WHERE project = $1 AND id = ANY ($2::bigint[]) RETURNING known, size),
sizes AS (
    UPDATE gateway.rejected_sizes SET bytes = greatest(0, bytes - freed)
    FROM (SELECT known, sum(size) AS freed FROM gone GROUP BY known) AS less WHERE rejected_sizes.known = less.known)
SELECT count(*) FROM gone
"""


async def erase_rejected(session: Session, found: Found) -> None:
    """Erase the rejected requests that the person's id stands in. Raises one of EXPECTED."""
    for project in (found.person.project, ""):
        async for page in pages(session, REJECTED, project):
            own = [row["id"] for row in page if any(map(found.person.found_in, _texts(row)))]
            if own and not found.dry_run:
                async with session.transaction() as db:
                    await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
                    found.counts["rejected"] += await db.fetchval(DELETE, project, own)
                    await to_do(db, found.person.project, VACUUM, ["rejected"])
            else:
                found.counts["rejected"] += len(own)


def _texts(row: asyncpg.Record) -> list[bytes]:
    return [row["body"], *[str(row[name]).encode() for name in TEXTS if row[name]]]
