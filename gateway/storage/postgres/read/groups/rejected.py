"""Reads rejected requests by group, and pages of them, the newest first. Nothing here writes."""

from gateway.storage.held.groups import (
    GROUPED_REJECTIONS,
    MOST_GROUPS,
    SCANNED,
    Listed,
    RejectedFilter,
    RejectedGroup,
    merged,
)
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.postgres.read.rejected import LISTED, named

# The innermost query bounds what is read.
GROUPS = f"""
SELECT reason, nullif(project, '') AS project, nullif(credential_id, '') AS credential_id,
    nullif(origin, '') AS origin, dialect, count(*), (extract(epoch FROM max(received_at)) * 1000)::bigint, max(id)
FROM (SELECT * FROM gateway.rejected WHERE known = $1 ORDER BY id DESC LIMIT {GROUPED_REJECTIONS}) AS newest
WHERE received_at >= to_timestamp($2::bigint / 1000.0)
GROUP BY reason, nullif(project, ''), nullif(credential_id, ''), nullif(origin, ''), dialect
ORDER BY count(*) DESC, max(id) DESC LIMIT {MOST_GROUPS}
"""
WINDOW = f"""
SELECT min(id), count(*) FROM
    (SELECT id FROM gateway.rejected WHERE id < coalesce($1, {2**63 - 1}) ORDER BY id DESC LIMIT {SCANNED}) AS newest
"""
PAGE = f"""
SELECT {LISTED} FROM gateway.rejected
WHERE id >= $1 AND id < coalesce($2, {2**63 - 1}) AND ($3::text IS NULL OR reason = $3)
    AND ($4::text IS NULL OR project = $4) AND ($5::text IS NULL OR coalesce(credential_id, '') = $5)
    AND ($6::text IS NULL OR coalesce(origin, '') = $6) AND ($7::text IS NULL OR dialect = $7)
ORDER BY id DESC LIMIT $8
"""


async def groups(reader: Reader, since: int | None) -> list[RejectedGroup]:
    """See Records."""
    async with reader.transaction() as db:
        rows = [tuple(row) for known in (True, False) for row in await db.fetch(GROUPS, known, since or 0)]
    return merged(
        [
            RejectedGroup(
                reason=reason,
                project=project,
                credential_id=credential_id,
                origin=origin,
                dialect=dialect,
                count=count,
                newest=newest,
                example=example,
            )
            for reason, project, credential_id, origin, dialect, count, newest, example in rows
        ]
    )


async def page(reader: Reader, where: RejectedFilter, before: int | None, most: int) -> Listed:
    """See Records."""
    asked = [where.reason, where.project, where.credential_id, where.origin, where.dialect]
    # The database has no text with a NUL: see `fit` where they are written.
    texts = [None if each is None else each.replace("\0", "\ufffd") for each in asked]
    async with reader.transaction() as db:
        [(lowest, scanned)] = await db.fetch(WINDOW, before)
        found = await db.fetch(PAGE, lowest, before, *texts, most + 1) if scanned else []
    rows = [named(tuple(row)) for row in found]
    if len(rows) > most:
        return Listed(rows[:most], rows[most - 1]["id"])
    return Listed(rows, lowest if scanned == SCANNED else None)
