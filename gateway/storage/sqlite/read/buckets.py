"""Reads the counters by time of events.db."""

from gateway.storage.sqlite.read.reader import Reader

BUCKETS = (
    "SELECT start, project, dialect, verdict, count FROM counter_buckets WHERE span = ?1 AND start >= ?2 "
    "AND (?3 IS NULL OR project = ?3) AND (?4 IS NULL OR dialect = ?4) AND count <> 0 ORDER BY 1, 2, 3, 4"
)
STORED_BY_TIME = (
    "SELECT start - start % ?3, dialect, sum(count) FROM counter_buckets WHERE span = ?1 AND start >= ?2 "
    "AND verdict = 'stored' AND (?4 IS NULL OR project = ?4) GROUP BY 1, 2 HAVING sum(count) <> 0 ORDER BY 1, 2"
)
BY_PROJECT = (
    "SELECT project, dialect, verdict, sum(count) FROM counter_buckets WHERE span = ?1 AND start >= ?2 "
    "AND start < coalesce(?3, 9223372036854775807) AND (?4 IS NULL OR project = ?4) GROUP BY 1, 2, 3"
)
SINCE = "SELECT value FROM meta WHERE name = 'buckets_since'"


def counter_buckets(
    reader: Reader, span: int, since: int, project: str | None = None, dialect: str | None = None
) -> list[tuple[int, str, str, str, int]]:
    """Return the buckets of a span that start at a time or later: `(start, project, dialect, verdict, count)`.

    All times are in seconds, starts since the epoch. The oldest come first. A replay takes an item from `quarantined`
    or `filtered` in the bucket of the replay, so that a count there may be negative. Raises DataDirError if an older
    gateway wrote the file.
    """
    return reader.query(BUCKETS, span, since, project, dialect)


def stored_by_time(reader: Reader, span: int, since: int, step: int, project: str | None) -> list[tuple[int, str, int]]:
    """Return the stored events of each step: `(start, dialect, count)`.

    Raises DataDirError if an older gateway wrote the file.
    """
    return reader.query(STORED_BY_TIME, span, since, step, project)


def counts_by_project(
    reader: Reader, span: int, since: int, before: int | None, project: str | None
) -> list[tuple[str, str, str, int]]:
    """Return the sums of the buckets from a time on: `(project, dialect, verdict, count)`.

    They are without those of rejected requests. Raises DataDirError if an older gateway wrote the file.
    """
    return reader.query(BY_PROJECT, span, since, before, project)


def counted_since(reader: Reader) -> int | None:
    """Return since when there are counters by time (seconds since the epoch); None if there always were."""
    found = reader.query(SINCE)
    return int(found[0][0]) if found else None
