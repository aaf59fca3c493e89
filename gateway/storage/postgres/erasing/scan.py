"""Finds the events of a project whose text has a person's id anywhere: day by day, in short transactions, no lock.

There is no index for it: the server turns each body into text and searches that. The rows of a project and a day lie
together in the primary key.
"""

import json
import time
from collections.abc import AsyncIterator, Sequence

import asyncpg
import attrs
import orjson

from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.partitions import date_of, days_of
from gateway.storage.postgres.read.lines import Place

FIRST_WINDOW, MOST_WINDOW = 2000, 64_000
"""Rows that one statement looks at: more, as long as it takes little time."""
SHORT, LONG = 0.3, 1.5
"""Seconds."""
MOST_FOUND, MOST_BYTES = 200, 4 << 20
"""Events that one statement returns, and about how many bytes of them; so many are FETCHED at once."""
FETCHED = 20
BEFORE: Place = (-1, -1)
END = (
    "SELECT xid, number FROM gateway.events WHERE day = '{date}' AND project = $1 AND (xid, number) > ($2, $3) "
    "AND xid < $4 ORDER BY xid, number OFFSET $5 LIMIT 1"
)
# jsonb has its own spelling, a line that is kept as it was sent that of its sender.
FIND = (
    "SELECT xid, number, (extract(epoch FROM received_at) * 1000)::bigint AS received_at, "
    "coalesce(exact, body::text) AS line FROM gateway.events WHERE day = '{date}' AND project = $1 "
    "AND (xid, number) > ($2, $3) AND (xid, number) <= ($4, $5) AND (({text}) OR "
    "(exact IS NOT NULL AND ({exact}))) ORDER BY xid, number"
)
IN_TEXT = "strpos(body::text, {part}) > 0"
IN_EXACT = "strpos(exact, {part}) > 0"


@attrs.frozen
class Candidate:
    """An event that may have the id; `received_at` is in milliseconds since the epoch."""

    xid: int
    number: int
    received_at: int | None
    line: bytes

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.xid, self.number


@attrs.frozen
class Texts:
    """Texts to look for in events: one of them must be there. As parameters from $6 on."""

    values: Sequence[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Texts":
        """Return texts as JSON spells them: as jsonb does, and as a sender may."""
        spelled = [json.dumps(text, ensure_ascii=is_ascii)[1:-1] for text in texts for is_ascii in (False, True)]
        return cls(list(dict.fromkeys([*spelled, *[orjson.dumps(text).decode()[1:-1] for text in texts]])))

    def statement(self, date: object, first: int) -> str:
        """Return FIND for a day, with parameters from `first` on."""
        text, exact = (
            " OR ".join([each.format(part=f"${first + place}::text") for place in range(len(self.values))])
            for each in (IN_TEXT, IN_EXACT)
        )
        return FIND.format(date=date, text=text, exact=exact)


async def days(session: Session) -> list[int]:
    """Return the days that have partitions."""
    async with session.transaction(readonly=True) as db:
        return await days_of(db, "events")


async def candidates(
    session: Session, project: str, day: int, texts: Texts, *, since: int = 0, below: int
) -> AsyncIterator[list[Candidate]]:
    """Yield the events of a day that have one of the texts, of transactions from `since` on and below another one."""
    date, place, window = date_of(day), (since, -1), FIRST_WINDOW
    statement = texts.statement(date, 6)
    end: Place | None = BEFORE
    while end is not None:
        began = time.monotonic()
        try:
            async with session.transaction(readonly=True) as db:
                row = await db.fetchrow(END.format(date=date), project, *place, below, window - 1)
                end = None if row is None else (row[0], row[1])
                until = (below - 1, (1 << 31) - 1) if end is None else end
                rows, is_cut = await _fetched(db, statement, project, *place, *until, *texts.values)
        except asyncpg.QueryCanceledError:
            if window == 1:
                raise
            window, end = max(1, window // 8), BEFORE
            continue
        if is_cut:
            place = end = (rows[-1][0], rows[-1][1])
        elif end is not None:
            place = end
        seconds = time.monotonic() - began
        if rows:
            yield [Candidate(xid, number, at, line.encode()) for xid, number, at, line in rows]
        if seconds > LONG:
            window = max(1, window // 2)
        elif seconds < SHORT:
            window = min(MOST_WINDOW, window * 2)


async def _fetched(db: Connection, statement: str, *values: object) -> tuple[list[asyncpg.Record], bool]:
    """Return the first rows of FIND, and whether there may be more."""
    found: list[asyncpg.Record] = []
    size = 0
    cursor = await db.cursor(statement, *values)
    while rows := await cursor.fetch(FETCHED):
        found += rows
        size += sum([len(row["line"]) for row in rows])
        if len(found) >= MOST_FOUND or size >= MOST_BYTES:
            return found, True
    return found, False
