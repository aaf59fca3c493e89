"""Taking items out of the quarantine, inside the writer's transaction: replayed and dropped ones."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from gateway.storage.postgres.connection.session import Connection
from gateway.storage.quarantined_items import decode_items

# Rows are locked in the order of their ids. Whoever waited gets the row as it is now, or none if it is gone.
LOCK_REQUESTS = (
    "SELECT id, last, project, size, remaining FROM gateway.quarantined_requests WHERE id = ANY (ARRAY("
    "SELECT (SELECT id FROM gateway.quarantined_requests WHERE id <= number ORDER BY id DESC LIMIT 1) "
    "FROM unnest($1::bigint[]) AS asked (number))) ORDER BY id FOR UPDATE"
)
SETTLED = "SELECT id FROM gateway.settled WHERE id = ANY ($1::bigint[])"
CONTENTS = "SELECT id, items, keys FROM gateway.quarantined_requests WHERE id = ANY ($1::bigint[])"
# The parts change different rows, so that one statement may hold them all.
SETTLE = """
WITH settled AS (
    INSERT INTO gateway.settled (project, id, verdict, xid, number, at)
    SELECT project, id, verdict, CASE WHEN number IS NOT NULL THEN $1::bigint END, number, to_timestamp(at / 1000.0)
    FROM unnest($2::text[], $3::bigint[], $4::text[], $5::int[], $6::bigint[])
        AS ended (project, id, verdict, number, at)),
keys AS (
    DELETE FROM gateway.quarantined_keys known USING unnest($7::text[], $8::bytea[]) AS ended (project, key)
    WHERE known.project = ended.project AND known.key = ended.key),
fewer AS (
    UPDATE gateway.quarantined_requests request SET remaining = request.remaining - ended.count
    FROM unnest($9::text[], $10::bigint[], $11::int[]) AS ended (project, id, count)
    WHERE request.project = ended.project AND request.id = ended.id)
DELETE FROM gateway.quarantined_requests request USING unnest($12::text[], $13::bigint[]) AS ended (project, id)
WHERE request.project = ended.project AND request.id = ended.id
"""


@attrs.frozen
class _LockedRequest:
    """A request's row that this transaction has locked."""

    first: int
    last: int
    project: str
    size: int
    remaining: int


@attrs.frozen
class _Contents:
    """What never changes of a request's row: the items' verdicts and dedupe keys, by number."""

    verdicts: Mapping[int, str]
    keys: Mapping[int, bytes]

    def of(self, numbers: Sequence[int]) -> "_Contents":
        """Return the part that belongs to these items."""
        verdicts, keys = self.verdicts, self.keys
        return _Contents(
            {number: verdicts[number] for number in numbers if number in verdicts},
            {number: keys[number] for number in numbers if number in keys},
        )


@attrs.define
class Resolver:
    """Finds the items that a group resolves, and takes them out. The last request is remembered between groups."""

    _locked: list[_LockedRequest] = attrs.field(factory=list, init=False)
    _contents: dict[int, _Contents] = attrs.field(factory=dict, init=False)

    async def pending(self, db: Connection, numbers: Sequence[int]) -> dict[int, str]:
        """Return the verdicts of those items that are still in quarantine. Their rows are locked, in their order."""
        self._locked = [_LockedRequest(*row) for row in await db.fetch(LOCK_REQUESTS, numbers)]
        if not self._locked:
            return {}
        # Statements of their own: the one before could not see what was committed while it waited.
        ended = {number for (number,) in await db.fetch(SETTLED, numbers)}
        await self._read_contents(db, numbers)
        verdicts: dict[int, str] = {}
        for number in numbers:
            row = self._row_of(number)
            verdict = None if row is None else self._contents[row.first].verdicts.get(number)
            if verdict is not None and number not in ended:
                verdicts[number] = verdict
        return verdicts

    async def settle(
        self, db: Connection, settled: Mapping[int, Sequence[object]], xid: int, projects: Mapping[int, str]
    ) -> Counter[str]:
        """Take out items that are pending; return by how many bytes the quarantine of each project shrinks.

        `settled` is that of the Plan, `projects` are theirs by number.
        """
        counts: Counter[int] = Counter()
        keys: list[tuple[str, bytes]] = []
        for number in settled:
            row = self._row_of(number)
            assert row is not None, "only items that are pending are settled"
            counts[row.first] += 1
            key = self._contents[row.first].keys.get(number)
            if key is not None:
                keys.append((row.project, key))
        ended = [(row, counts[row.first]) for row in self._locked if counts[row.first]]
        fewer = [(row, count) for row, count in ended if count < row.remaining]
        gone = [row for row, count in ended if count >= row.remaining]
        await db.execute(
            SETTLE,
            xid,
            [projects[number] for number in settled],
            *([values[place] for values in settled.values()] for place in range(4)),
            [project for project, _ in keys],
            [key for _, key in keys],
            [row.project for row, _ in fewer],
            [row.first for row, _ in fewer],
            [count for _, count in fewer],
            [row.project for row in gone],
            [row.first for row in gone],
        )
        sizes: Counter[str] = Counter()
        for row in gone:
            sizes[row.project] += row.size
        return sizes

    async def _read_contents(self, db: Connection, numbers: Sequence[int]) -> None:
        """Read the contents of the locked rows: all of the last one, of the others only those of these items."""
        contents = {row.first: self._contents[row.first] for row in self._locked[-1:] if row.first in self._contents}
        missing = [row.first for row in self._locked if row.first not in contents]
        for first, items, keys in await db.fetch(CONTENTS, missing) if missing else ():
            found = [(item.number, item.verdict) for item in decode_items(items, first)]
            by_number = {number: key for (number, _), key in zip(found, keys or (), strict=False) if key is not None}
            whole = _Contents(dict(found), by_number)
            contents[first] = whole if first == self._locked[-1].first else whole.of(numbers)
        self._contents = contents

    def _row_of(self, number: int) -> _LockedRequest | None:
        place = bisect_right(self._locked, number, key=lambda row: row.first) - 1
        return self._locked[place] if place >= 0 and number <= self._locked[place].last else None
