"""Reads the counters by time of events.db."""

from gateway.storage.sqlite.read.reader import Reader

BUCKETS = (
    "SELECT start, project, dialect, verdict, count FROM counter_buckets WHERE span = ?1 AND start >= ?2 "
    "AND (?3 IS NULL OR project = ?3) AND (?4 IS NULL OR dialect = ?4) AND count <> 0 ORDER BY 1, 2, 3, 4"
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


def counted_since(reader: Reader) -> int | None:
    """Return since when there are counters by time (seconds since the epoch); None if there always were."""
    found = reader.query(SINCE)
    return int(found[0][0]) if found else None
