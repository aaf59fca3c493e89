"""PostgreSQL's LogReader: pages of the log, each in a transaction of its own. A position is `XID-N`.

A line has the values of the event as it was appended; their order and spelling are jsonb's. An event that was moved
here keeps its old position, a decimal number, as another name.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import INCOMPLETE, Connection, Session, one
from gateway.storage.postgres.positions import parse
from gateway.storage.postgres.positions import position as written
from gateway.storage.postgres.read.days import Day, Days, Window, backward, forward
from gateway.storage.postgres.read.horizon import HORIZON
from gateway.storage.postgres.read.lines import OLD_POSITION, Place, is_erased, place_of
from gateway.storage.postgres.read.where import condition, spans
from gateway.storage.read import EVERYTHING, EventFilter, Page, Position
from gateway.store_error import StoreError

PAGE_ROWS = 5000
"""Events that one page looks at, whether or not the filter lets them through."""
PAGE_BYTES = 4 << 20
FIRST_FETCHED, MOST_FETCHED = 8, 2000
"""Rows that are fetched at once: few until it is known how long their lines are."""
COUNTED = 100_000
"""Events that are counted in one statement."""
MOST_SKIPPED = 64
"""Windows without any event of the right time that one page passes by."""
LINE = "coalesce(exact, body::text)"
BY_INDEX: Mapping[str, object] = {"enable_sort": "off", "plan_cache_mode": "force_custom_plan"}
"""The settings of a reader's session: a page begins anywhere in an index, however little the statistics know of it."""
BEGINNING: Place = (0, 0)
END: Place = ((1 << 62), (1 << 31) - 1)

# What a row takes in the table is known without reading its line. It may be compressed if it is long, so that then
# it counts for more. Beyond a page's bytes no line is read, however many rows are fetched at once.
STORED = "(pg_column_size(body) + coalesce(pg_column_size(exact), 0))"
SCAN = (
    "SELECT xid, number, CASE WHEN before < {bytes} AND {condition} THEN " + LINE + " END, before >= {bytes} FROM ("
    "SELECT *, coalesce(sum(CASE WHEN {condition} THEN CASE WHEN " + STORED + " < 2000 THEN " + STORED + " "
    "ELSE 8 * " + STORED + " END END) OVER (ORDER BY xid {order}, number {order} "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before FROM ("
    "SELECT * FROM gateway.events WHERE day IN ({dates}) AND (xid, number) {beyond} ($1, $2) "
    "AND xid BETWEEN $3 AND $4 ORDER BY xid {order}, number {order} LIMIT {rows}) AS scanned) AS summed "
    "ORDER BY xid {order}, number {order}"
)
COUNT = (
    "SELECT found, looked_at, last[1], last[2] FROM (SELECT count(*) FILTER (WHERE {condition}) AS found, "
    "count(*) AS looked_at, max(ARRAY[xid, number]) AS last FROM ("
    "SELECT * FROM gateway.events WHERE day IN ({dates}) AND (xid, number) > ($1, $2) AND xid BETWEEN $3 AND $4 "
    "ORDER BY xid, number LIMIT {rows}) AS scanned) AS counted"
)
NEWEST = (
    "SELECT xid, number FROM gateway.events WHERE day IN ({dates}) AND xid BETWEEN $1 AND $2 "
    "ORDER BY xid DESC, number DESC LIMIT 1"
)
AT = (
    "SELECT asked.place, " + LINE + " FROM unnest($1::int[], $2::bigint[], $3::int[]) AS asked (place, xid, number) "
    "JOIN gateway.events USING (xid, number) ORDER BY 1"
)
UP_TO_OLD = "SELECT xid, number FROM gateway.events WHERE moved_from <= $1 ORDER BY moved_from DESC LIMIT 1"
# Of the transactions in a window those that wrote something of a time.
SEEK = (
    "SELECT min(greatest(first_xid, $1)), max(least(last_xid, $2)) FROM gateway.log_times "
    "WHERE day IN ({dates}) AND first_xid <= $2 AND last_xid >= $1 AND {times}"
)


class PostgresLogReader:
    """The log of a database. See LogReader."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._days = Days()

    def parse_position(self, text: str) -> Position:
        """See LogReader."""
        if not OLD_POSITION.fullmatch(text):
            parse(text)
        return text

    async def page(self, after: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        async with self._transaction() as db:
            place = BEGINNING if after is None else await _place(db, after)
            horizon, days = await self._reach(db)
            for _ in range(MOST_SKIPPED):
                window = forward(days, place[0], horizon)
                if window is None or window.last < place[0]:
                    return Page([], b"", _position(place), False)
                sought = await _narrowed(db, window, where)
                if sought is not None:
                    break
                place = (window.last, END[1])
                if window.last == horizon - 1:
                    return Page([], b"", _position(place), False)
            else:
                return Page([], b"", _position(place), True)
            begin = place if sought.first <= place[0] else (sought.first, 0)
            rows, is_cut = await _scan(db, ">", begin, sought, where)
        is_last = not is_cut and window.last == horizon - 1
        if is_cut or (is_last and rows):
            cursor = (rows[-1][0], rows[-1][1])
        else:
            cursor = place if is_last else (window.last, END[1])
        return _page(rows, cursor, more=not is_last)

    async def page_back(self, until: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        async with self._transaction() as db:
            place = END if until is None else await _place(db, until)
            horizon, days = await self._reach(db)
            for _ in range(MOST_SKIPPED):
                window = backward(days, place[0], horizon)
                if window is None or window.last < window.first:
                    return Page([], b"", _position(BEGINNING), False)
                sought = await _narrowed(db, window, where)
                if sought is not None:
                    break
                if window.first == 0:
                    return Page([], b"", _position(BEGINNING), False)
                place = (window.first - 1, END[1])
            else:
                return Page([], b"", _position(place), True)
            rows, is_cut = await _scan(db, "<=", min(place, (sought.last, END[1])), sought, where)
        if is_cut:
            xid, number, _ = rows[-1]
            return _page(rows[::-1], (xid, number - 1), more=True)
        is_last = window.first == 0
        return _page(rows[::-1], BEGINNING if is_last else (window.first - 1, END[1]), more=not is_last)

    async def at(self, positions: Sequence[Position]) -> list[tuple[Position, bytes]]:
        """See LogReader."""
        async with self._transaction() as db:
            places = [await place_of(db, each) or BEGINNING for each in positions]
            xids, numbers = [xid for xid, _ in places], [number for _, number in places]
            rows = await db.fetch(AT, list(range(len(places))), xids, numbers)
        return [(_position(places[place]), line.encode()) for place, line in rows]

    async def is_gone(self, position: Position) -> bool:
        """See LogReader. Of one that expired early nothing is left to tell."""
        async with self._transaction() as db:
            place = _parsed(str(position))
            return place is not None and await is_erased(db, place)

    async def newest(self) -> Position:
        """See LogReader."""
        async with self._transaction() as db:
            horizon, days = await self._reach(db)
            window = backward(days, horizon - 1, horizon)
            if window is None:
                return _position(BEGINNING)
            row = await db.fetchrow(NEWEST.format(dates=window.dates), window.first, window.last)
        return _position(BEGINNING if row is None else (row[0], row[1]))

    async def count(self, where: EventFilter = EVERYTHING) -> int:
        """See LogReader."""
        asked, values = condition(where, 5)
        total, place, more = 0, BEGINNING, True
        while more:
            async with self._transaction() as db:
                horizon, days = await self._reach(db)
                window = forward(days, place[0], horizon)
                if window is None or window.last < place[0]:
                    break
                statement = COUNT.format(condition=asked, dates=window.dates, rows=COUNTED)
                found, looked_at, xid, number = await one(db, statement, *place, 0, window.last, *values)
            total += found
            more = looked_at == COUNTED or window.last < horizon - 1
            place = (xid, number) if looked_at == COUNTED else (window.last, END[1])
        return total

    async def close(self) -> None:
        """See LogReader."""
        await self._session.close()

    async def _reach(self, db: Connection) -> tuple[int, list[Day]]:
        """Return the horizon, and the days that have events, in the snapshot of the open transaction."""
        horizon: int | None = await db.fetchval(f"SELECT {HORIZON}")
        if horizon is None:
            raise StoreError(f"cannot read {self._session.address.name}: {INCOMPLETE}")
        return horizon, await self._days.load(db)

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        try:
            async with self._session.transaction(readonly=True) as db:
                yield db
        except EXPECTED as error:
            raise StoreError(f"cannot read {self._session.address.name}: {reason(error)}") from error


async def _narrowed(db: Connection, window: Window, where: EventFilter) -> Window | None:
    """Return the part of a window in which the time that is asked for can be; None if it is nowhere in it."""
    asked = spans(where, 3)
    if asked is None:
        return window
    times, values = asked
    first, last = await one(db, SEEK.format(dates=window.dates, times=times), window.first, window.last, *values)
    return None if first is None else Window(window.dates, first, last)


async def _scan(
    db: Connection, beyond: str, place: Place, window: Window, where: EventFilter
) -> tuple[list[tuple[int, int, bytes | None]], bool]:
    """Return `(transaction, number, line)` of the events beyond a place; without a line where the filter excludes them.

    Also returns whether it ended before the window did.
    """
    asked, values = condition(where, 5)
    order = "" if beyond == ">" else "DESC"
    statement = SCAN.format(
        condition=asked, dates=window.dates, beyond=beyond, order=order, rows=PAGE_ROWS, bytes=PAGE_BYTES
    )
    found: list[tuple[int, int, bytes | None]] = []
    size = 0
    cursor = await db.cursor(statement, *place, window.first, window.last, *values)
    while rows := await cursor.fetch(_next_fetch(len(found), size)):
        for xid, number, text, is_beyond in rows:
            if is_beyond:
                return found, True
            line = None if text is None else text.encode()
            found.append((xid, number, line))
            size += 0 if line is None else len(line)
        if size >= PAGE_BYTES:
            return found, True
    return found, len(found) == PAGE_ROWS


def _next_fetch(rows: int, size: int) -> int:
    """Return how many rows to fetch next, if so many have had lines of so many bytes: no more than the page needs."""
    if not rows:
        return FIRST_FETCHED
    return max(1, min(MOST_FETCHED, (PAGE_BYTES - size) * rows // max(size, 1)))


def _page(rows: Sequence[tuple[int, int, bytes | None]], cursor: Place, *, more: bool) -> Page:
    lines = [line for _, _, line in rows if line is not None]
    positions = [_position((xid, number)) for xid, number, line in rows if line is not None]
    return Page(positions, b"\n".join(lines), _position(cursor), more)


async def _place(db: Connection, position: Position) -> Place:
    """Return a position as a place. Of an old one, that of the last event which had it or one before it."""
    place = _parsed(str(position))
    if place is not None:
        return place
    row = await db.fetchrow(UP_TO_OLD, int(position))
    return BEGINNING if row is None else (row[0], row[1])


def _parsed(position: str) -> Place | None:
    return None if OLD_POSITION.fullmatch(position) else parse(position)


def _position(place: Place) -> str:
    return written(*place)
