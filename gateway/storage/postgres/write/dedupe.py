"""What was seen before: the keys of events and of requests, so that of two equal ones at two gateways one is first.

A key is inserted before anything else of its group. If another transaction has just inserted it, PostgreSQL waits for
that one's end, and only then says whether the key is new. All transactions insert in the same order, so that no two
wait for each other.

Keys lie in generations, one partition each, so that forgetting is dropping a table. A new key goes into the current
generation, and must not be in the one before. For some minutes after a change of the generation, keys are inserted into
both: transactions that began before it know only the older one. These minutes must be longer than any transaction.

Where another store was moved here, the projects of its keys are not known. These keys have an empty project; they are
asked first, until their generation is forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence

from gateway.storage.contract import Entry
from gateway.storage.plan import Claim
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.write.values import placed, run_of

OVERLAP = "interval '10 minutes'"
STATE = (
    f"WITH state AS MATERIALIZED (SELECT generation, since > now() - {OVERLAP} AS is_new, "
    "strays > 0 AND strays >= generation - 1 AS has_strays FROM gateway.state), "
)
NO_STRAY = (
    "CASE WHEN has_strays THEN "
    "(SELECT 1 FROM gateway.{table} known WHERE known.project = '' AND known.{key} = asked.{key} LIMIT 1) IS NULL "
    "ELSE true END"
)
ASKED = (
    "SELECT ($1::text[])[place] AS project, substring($3::bytea FROM (number::int - 1) * 16 + 1 FOR 16) AS key "
    "FROM unnest($2::text::int[]) WITH ORDINALITY AS asked (place, number)"
)
"""Dedupe keys with their projects, as `placed` and `run_of` send them."""
INSERT_KEYS = (
    STATE + f"asked AS MATERIALIZED (SELECT project, key FROM ({ASKED}) AS asked, "
    f"state WHERE {NO_STRAY.format(table='keys', key='key')}), "
    "older AS (INSERT INTO gateway.keys (project, key, generation) "
    "SELECT project, key, generation - 1 FROM asked, state WHERE is_new ORDER BY 1, 2 "
    "ON CONFLICT DO NOTHING RETURNING key) "
    "INSERT INTO gateway.keys (project, key, generation) "
    "SELECT project, key, generation FROM asked, state WHERE CASE WHEN is_new THEN key IN (SELECT key FROM older) "
    "ELSE (SELECT 1 FROM gateway.keys known WHERE known.generation = state.generation - 1 "
    "AND known.project = asked.project AND known.key = asked.key LIMIT 1) IS NULL END "
    "ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING key"
)
INSERT_CLAIMS = (
    STATE + "asked AS MATERIALIZED (SELECT project, digest, fingerprint "
    "FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS asked (project, digest, fingerprint), "
    f"state WHERE {NO_STRAY.format(table='claims', key='digest')}), "
    "older AS (INSERT INTO gateway.claims (project, digest, generation, fingerprint) "
    "SELECT project, digest, generation - 1, fingerprint FROM asked, state WHERE is_new ORDER BY 1, 2 "
    "ON CONFLICT DO NOTHING RETURNING digest) "
    "INSERT INTO gateway.claims (project, digest, generation, fingerprint) "
    "SELECT project, digest, generation, fingerprint FROM asked, state "
    "WHERE CASE WHEN is_new THEN digest IN (SELECT digest FROM older) "
    "ELSE (SELECT 1 FROM gateway.claims known WHERE known.generation = state.generation - 1 "
    "AND known.project = asked.project AND known.digest = asked.digest LIMIT 1) IS NULL END "
    "ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING digest"
)
SELECT_CLAIMS = (
    "SELECT claims.digest, claims.fingerprint, outcomes, receipt FROM gateway.claims, "
    "unnest($1::text[], $2::bytea[]) AS asked (project, digest) "
    "WHERE claims.project IN (asked.project, '') AND claims.digest = asked.digest"
)
ANSWER_CLAIMS = (
    "UPDATE gateway.claims SET outcomes = answers.outcomes, receipt = answers.receipt "
    "FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[]) AS answers (project, digest, outcomes, receipt) "
    "WHERE claims.project = answers.project AND claims.digest = answers.digest"
)
KNOWN_KEYS = (
    "SELECT asked.key FROM unnest($1::text[], $2::bytea[]) AS asked (project, key) WHERE "
    "(SELECT 1 FROM gateway.keys known "
    "WHERE known.project IN (asked.project, '') AND known.key = asked.key LIMIT 1) = 1"
)


async def claim(db: Connection, entries: Sequence[Entry]) -> dict[bytes, Claim]:
    """Claim the idempotency keys of a group for this transaction; return those that were used before, by digest."""
    asked: dict[bytes, tuple[str, bytes]] = {}
    for entry in entries:
        if entry.idempotency is not None and entry.resolves is None:
            asked.setdefault(entry.idempotency.digest, (entry.project, entry.idempotency.fingerprint))
    if not asked:
        return {}
    projects = [project for project, _ in asked.values()]
    rows = await db.fetch(INSERT_CLAIMS, projects, list(asked), [fingerprint for _, fingerprint in asked.values()])
    known = asked.keys() - {digest for (digest,) in rows}
    if not known:
        return {}
    # A statement of its own: the one before could not see what was committed while it waited.
    rows = await db.fetch(SELECT_CLAIMS, [asked[digest][0] for digest in known], list(known))
    return {digest: Claim(fingerprint, outcomes, receipt) for digest, fingerprint, outcomes, receipt in rows}


async def answer_claims(db: Connection, claims: Mapping[bytes, Claim], projects: Mapping[bytes, str]) -> None:
    """Keep the answers of the keys that `claim` has claimed."""
    values = list(claims.items())
    await db.execute(
        ANSWER_CLAIMS,
        [projects[digest] for digest, _ in values],
        [digest for digest, _ in values],
        [claim.outcomes for _, claim in values],
        [claim.receipt for _, claim in values],
    )


async def insert_keys(db: Connection, keys: Mapping[bytes, str]) -> set[bytes]:
    """Insert dedupe keys (each with its project); return those that are new."""
    rows = await db.fetch(INSERT_KEYS, *placed(list(keys.values())), run_of(keys))
    return {key for (key,) in rows}


async def known_keys(db: Connection, keys: Iterable[tuple[str, bytes]]) -> set[bytes]:
    """Return which dedupe keys, each with its project, an event has."""
    asked = list(keys)
    rows = await db.fetch(KNOWN_KEYS, [project for project, _ in asked], [key for _, key in asked])
    return {key for (key,) in rows}
