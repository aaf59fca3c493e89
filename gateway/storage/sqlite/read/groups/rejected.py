"""Reads rejected requests by group, and pages of them, the newest first. Nothing here writes."""

from gateway.datadir import DataDir
from gateway.storage.held.groups import (
    GROUPED_REJECTIONS,
    MOST_GROUPS,
    SCANNED,
    Listed,
    RejectedFilter,
    RejectedGroup,
    merged,
)
from gateway.storage.sqlite.read.rejected import LISTED, SINCE_VERSION_3, named, opened

# The innermost query bounds what is read. Where the columns are missing they stand as NULL.
GROUPS = f"""
SELECT reason, nullif(project, '') AS owner, nullif(credential_id, '') AS shown, nullif(origin, '') AS page, dialect,
    count(*) AS size, max(received_at), max(id)
FROM (SELECT id, received_at, reason, project, dialect, {SINCE_VERSION_3}
    FROM rejected WHERE known = ?1 ORDER BY id DESC LIMIT {GROUPED_REJECTIONS})
WHERE received_at >= ?2 GROUP BY reason, owner, shown, page, dialect ORDER BY size DESC, max(id) DESC
LIMIT {MOST_GROUPS}
"""  # noqa: S608
WINDOW = f"""
SELECT min(id), count(*) FROM (SELECT id FROM rejected WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT {SCANNED})
"""  # noqa: S608
PAGE = f"""
SELECT {LISTED} FROM (SELECT id, received_at, project, dialect, route, reason, status, method, path, client_ip,
    {SINCE_VERSION_3}, cut, replayed, faults FROM rejected WHERE id >= ?1 AND (?2 IS NULL OR id < ?2))
WHERE (?3 IS NULL OR reason = ?3) AND (?4 IS NULL OR coalesce(project, '') = ?4)
    AND (?5 IS NULL OR coalesce(credential_id, '') = ?5) AND (?6 IS NULL OR coalesce(origin, '') = ?6)
    AND (?7 IS NULL OR dialect = ?7)
ORDER BY id DESC LIMIT ?8
"""  # noqa: S608


def groups(directory: DataDir, since: int | None) -> list[RejectedGroup]:
    """See Records. Raises DataDirError and sqlite3.Error."""
    with opened(directory) as file:
        if file is None:
            return []
        rows = [row for known in (1, 0) for row in file.query(GROUPS, known, since or 0)]
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


def page(directory: DataDir, where: RejectedFilter, before: int | None, most: int) -> Listed:
    """See Records. Raises DataDirError and sqlite3.Error."""
    with opened(directory) as file:
        if file is None:
            return Listed([], None)
        [(lowest, scanned)] = file.query(WINDOW, before)
        if not scanned:
            return Listed([], None)
        asked = (where.reason, where.project, where.credential_id, where.origin, where.dialect)
        rows = [named(row) for row in file.query(PAGE, lowest, before, *asked, most + 1)]
    if len(rows) > most:
        return Listed(rows[:most], rows[most - 1]["id"])
    return Listed(rows, lowest if scanned == SCANNED else None)
