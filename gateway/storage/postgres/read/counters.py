"""Reads the counters: totals and counts by time, of stored and of rejected items. Each is a sum over the gateways."""

from gateway.storage.postgres.read.reader import Reader

COUNTERS = "SELECT project, dialect, verdict, sum(count)::bigint FROM gateway.counters GROUP BY 1, 2, 3"
BUCKETS = (
    "SELECT start, project, dialect, verdict, sum(count)::bigint FROM gateway.counter_buckets "
    "WHERE span = $1 AND start >= $2 {} GROUP BY 1, 2, 3, 4 HAVING sum(count) <> 0"
)
REJECTED = "SELECT project, dialect, sum(count)::bigint FROM gateway.rejected_counts GROUP BY 1, 2"
REJECTED_BUCKETS = (
    "SELECT start, project, dialect, sum(count)::bigint FROM gateway.rejected_buckets "
    "WHERE span = $1 AND start >= $2 GROUP BY 1, 2, 3"
)


async def counters(reader: Reader) -> list[tuple[str, str, str, int]]:
    """See Records. Sorted here, because the database may sort by the rules of a language."""
    return sorted(await reader.query(COUNTERS))


async def counter_buckets(
    reader: Reader, span: int, since: int, project: str | None, dialect: str | None
) -> list[tuple[int, str, str, str, int]]:
    """See Records."""
    named = {"project": project, "dialect": dialect}
    asked = {name: value for name, value in named.items() if value is not None}
    conditions = " ".join([f"AND {name} = ${place}" for place, name in enumerate(asked, 3)])
    return sorted(await reader.query(BUCKETS.format(conditions), span, since, *asked.values()))


async def rejected_counts(reader: Reader) -> list[tuple[str, str, int]]:
    """See Records."""
    return sorted(await reader.query(REJECTED))


async def rejected_buckets(reader: Reader, span: int, since: int) -> list[tuple[int, str, str, int]]:
    """See Records."""
    return sorted(await reader.query(REJECTED_BUCKETS, span, since))
