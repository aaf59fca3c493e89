"""Reads the counters: totals and counts by time, of stored and of rejected items, and the uses of credentials."""

from gateway.storage.postgres.read.reader import Reader
from gateway.storage.records import CredentialUse

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

USES = (
    "SELECT credential, max(last_used), coalesce(sum(requests) FILTER (WHERE day = $1), 0)::bigint, "
    "coalesce(sum(rejected) FILTER (WHERE day = $1), 0)::bigint FROM gateway.credential_uses GROUP BY credential"
)
STORED_BY_TIME = (
    "SELECT start - start % $3, dialect, sum(count)::bigint FROM gateway.counter_buckets "
    "WHERE span = $1 AND start >= $2 AND verdict = 'stored' {asked} GROUP BY 1, 2 HAVING sum(count) <> 0"
)
# Items that an answer named as invalid are in one table, those of rejected requests in the other.
BY_PROJECT = (
    "SELECT project, dialect, verdict, sum(count)::bigint FROM ("
    "SELECT project, dialect, verdict, count FROM gateway.counter_buckets "
    "WHERE span = $1 AND start >= $2 AND start < $3 {asked} "
    "UNION ALL SELECT project, dialect, 'rejected', count FROM gateway.rejected_buckets "
    "WHERE span = $1 AND start >= $2 AND start < $3 {asked}) AS summed GROUP BY 1, 2, 3 HAVING sum(count) <> 0"
)
ALWAYS = (1 << 63) - 1


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


async def credential_uses(reader: Reader, day: int) -> dict[str, CredentialUse]:
    """See Records."""
    return {credential_id: CredentialUse(*use) for credential_id, *use in await reader.query(USES, day)}


async def stored_by_time(
    reader: Reader, span: int, since: int, step: int, project: str | None
) -> list[tuple[int, str, int]]:
    """See Records."""
    asked, values = _of(project)
    return sorted(await reader.query(STORED_BY_TIME.format(asked=asked), span, since, step, *values))


async def counts_by_project(
    reader: Reader, span: int, since: int, before: int | None, project: str | None
) -> list[tuple[str, str, str, int]]:
    """See Records."""
    asked, values = _of(project)
    until = ALWAYS if before is None else before
    return sorted(await reader.query(BY_PROJECT.format(asked=asked), span, since, until, *values))


def _of(project: str | None) -> tuple[str, list[str]]:
    """Return the condition that asks for a project, or for none, and its values."""
    if project is None:
        return "", []
    return "AND project = $4", [project.replace("\0", "\ufffd")]  # the database has no text with a NUL
