"""Writing the quarantine, inside the writer's transaction: a row for each request, and the keys of its items.

All transactions lock in one order, so that no two wait for each other: first the rows of requests whose items are
resolved, by their ids (`pending`), then new keys, sorted (`write`). What comes after that makes nobody wait: only who
has locked a request's row takes keys of its items out, and the row of a size is this gateway's own.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import attrs

from gateway.storage.plan import Plan, QuarantinedRequest
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.gateways import Gateway
from gateway.storage.postgres.write.resolve import Resolver
from gateway.storage.quarantine_hash import key_hash

KNOWN = (
    "SELECT asked.project, asked.key FROM unnest($1::text[], $2::bytea[]) AS asked (project, key) WHERE "
    "(SELECT 1 FROM gateway.quarantined_keys known WHERE known.project = asked.project AND known.key = asked.key) = 1"
)
SIZES = (
    "SELECT project, sum(bytes)::bigint FROM gateway.quarantine_sizes WHERE project = ANY ($1::text[]) GROUP BY project"
)
INSERT_REQUEST = (
    "INSERT INTO gateway.quarantined_requests (project, id, last, remaining, size, received_at, dialect, route, "
    "receipt, body_size, sha256, items, keys, request) "
    "VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000.0), $7, $8, $9, $10, $11, $12, $13, $14)"
)
INSERT_KEYS = (
    "INSERT INTO gateway.quarantined_keys (project, key) "
    "SELECT project, key FROM unnest($1::text[], $2::bytea[]) AS added (project, key) ORDER BY 1, 2 "
    "ON CONFLICT DO NOTHING RETURNING 1"
)
ADD_TO_SIZES = (
    "INSERT INTO gateway.quarantine_sizes AS known (project, gateway, bytes) "
    "SELECT project, $1, bytes FROM unnest($2::text[], $3::bigint[]) AS added (project, bytes) ORDER BY 1 "
    "ON CONFLICT (project, gateway) DO UPDATE SET bytes = known.bytes + excluded.bytes"
)
AGAIN = 0.9  # the part of its bound below which a quarantine must shrink before it is logged again that it is full
log = logging.getLogger(__name__)


@attrs.define
class Quarantine:
    """The part of the writer that keeps items aside. `gateway` is this process.

    `bound` gives the bytes that the quarantine of a project may have. `full` are the projects of which was said that it
    is full, with its size before that; `sizes` are those that `room` has found.
    """

    gateway: Gateway
    bound: Callable[[str], int]
    full: dict[str, int] = attrs.field(factory=dict, init=False)
    sizes: dict[str, int] = attrs.field(factory=dict, init=False)
    _resolver: Resolver = attrs.field(factory=Resolver, init=False)
    _secret: bytes | None = attrs.field(default=None, init=False)
    _knows_secret: bool = attrs.field(default=False, init=False)

    async def known(self, db: Connection, keys: Collection[tuple[str, bytes]]) -> set[bytes]:
        """Return which dedupe keys, each with its project, a quarantined item has.

        Ask this before asking which keys events have: a replay takes a key from here to there.
        """
        by_stored = {(project, stored): key for project, key in keys for stored in await self._as_stored(db, key)}
        rows = await db.fetch(KNOWN, [project for project, _ in by_stored], [key for _, key in by_stored])
        return {by_stored[project, stored] for project, stored in rows}

    async def _as_stored(self, db: Connection, key: bytes) -> list[bytes]:
        """Return how a key may stand in the tables: as it is, and as a hash where items were moved from SQLite."""
        if not self._knows_secret:
            self._secret = await db.fetchval("SELECT quarantine_secret FROM gateway.state")
            self._knows_secret = True
        return [key] if self._secret is None else [key, key_hash(self._secret, key)]

    async def pending(self, db: Connection, numbers: Sequence[int]) -> dict[int, str]:
        """Return the verdicts of those items that are still in quarantine. Their rows are locked, in their order."""
        return await self._resolver.pending(db, numbers)

    async def room(self, db: Connection, projects: Iterable[str]) -> dict[str, int]:
        """Return how many bytes the quarantine of each project may still grow by."""
        asked = dict.fromkeys(projects, 0)
        self.sizes = asked | dict([tuple(row) for row in await db.fetch(SIZES, list(asked))])
        for project, size in self.sizes.items():
            if size < min(self.full.get(project, 0), AGAIN * self.bound(project)):
                del self.full[project]
        return {project: self.bound(project) - size for project, size in self.sizes.items()}

    async def write(self, db: Connection, plan: Plan, xid: int, projects: Mapping[int, str]) -> None:
        """Write the plan's new items, and take out those that it settles; `projects` are theirs, by number.

        Raises LostRace if another gateway has just put a key into quarantine that this plan takes for new.
        """
        keys = [(each.project, key) for each in plan.quarantine for key in each.keys if key is not None]
        if keys:
            added = await db.fetch(INSERT_KEYS, [project for project, _ in keys], [key for _, key in keys])
            if len(added) < len(keys):
                raise LostRace
        if plan.quarantine:
            await db.executemany(INSERT_REQUEST, [_values(request) for request in plan.quarantine])
        changes = Counter(plan.quarantined_bytes)
        if plan.settled:
            changes.subtract(await self._resolver.settle(db, plan.settled, xid, projects))
        sizes = [(project, change) for project, change in changes.items() if change]
        if sizes:
            await db.execute(
                ADD_TO_SIZES, self.gateway.number, [project for project, _ in sizes], [change for _, change in sizes]
            )

    def committed(self, plan: Plan) -> None:
        """After the commit: say once of a project that its quarantine is full."""
        for request in plan.quarantine:
            if request.sha256 is not None and request.project not in self.full:
                self.full[request.project] = self.sizes[request.project]
                log.warning(
                    "the quarantine of project %s is full (%d MB): of further items only fault, size and digest are "
                    "kept; replay or drop some, or raise quarantine_megabytes",
                    request.project,
                    self.bound(request.project) >> 20,
                )


class LostRace(Exception):
    """Another gateway was first; the transaction is to be rolled back and decided again."""


def _values(request: QuarantinedRequest) -> tuple[object, ...]:
    """Return the values of INSERT_REQUEST."""
    count = len(request.keys)
    return (
        *(request.project, request.first, request.first + count - 1, count, request.size, request.received_at),
        *(request.dialect, request.route, request.receipt, request.body_size, request.sha256, request.items),
        *(list(request.keys) if any(key is not None for key in request.keys) else None, request.request),
    )
