"""The sparse index from a time to positions: the table `log_times`, written here, and asked where a time can be.

A row is a span of the log: from the position `first` to before the next row's `first`. Each of its events was received
from `since` to before `before` (milliseconds since the epoch). A new span begins where a group of entries does not fit
into the last one, which is about once a minute, and more often only where the clock is set or old items are replayed.
So the index is exact whatever the clock does, and a commit adds one row at most.

For the part of the log that an older gateway wrote, tables.py makes at most a thousand spans of the receipts' numbers,
which begin with the highest time so far: there `before` is right, and `since` is 0, because a clock may have been set
back. What has no receipts is one span of any time.
"""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import orjson

from gateway.storage.plan import Plan

MINUTE = 60_000
NARROW = 2 * MINUTE
"""A span of more than this is not gone on with: one old event must not make a whole day look old."""
RECEIPT_VALUES = 6
"""How many values Plan.receipts has for each receipt; the second is its time."""

LAST_SPAN = "SELECT since, before FROM log_times ORDER BY first DESC LIMIT 1"
FORGET_ABOVE = "DELETE FROM log_times WHERE first > ?"
# Where the end of the log was deleted by hand, its positions are given again.
INSERT = "INSERT OR REPLACE INTO log_times VALUES (?, ?, ?)"
# Spans of deleted events; the one in which the first event lies stays.
DELETE = (
    "DELETE FROM log_times WHERE first < (SELECT max(first) FROM log_times WHERE first <= "
    "(SELECT last + 1 - coalesce(length(keys) / 16, 1) FROM log ORDER BY last LIMIT 1))"
)
SPAN_OF = "coalesce((SELECT max(first) FROM log_times WHERE first <= :position), 0)"
NEXT = (
    f"SELECT (SELECT first FROM log_times WHERE first >= {SPAN_OF} AND before > :since AND since < :before "  # noqa: S608
    "ORDER BY first LIMIT 1), (SELECT coalesce(max(last), 0) FROM log)"
)
PREVIOUS = (
    "SELECT (SELECT min(first) FROM log_times AS next WHERE next.first > span.first) FROM log_times AS span "
    "WHERE first <= :position AND before > :since AND since < :before ORDER BY first DESC LIMIT 1"
)
MOST_SPANS = 500
# The first span, of the next MOST_SPANS, with an event that may lie outside the times; else the last of them.
OUTSIDE = (
    f"WITH next AS (SELECT * FROM log_times WHERE first >= {SPAN_OF} ORDER BY first LIMIT {MOST_SPANS}) "  # noqa: S608
    "SELECT coalesce((SELECT min(first) FROM next WHERE since < :since OR before > :before), "
    f"(SELECT max(first) FROM next HAVING count(*) = {MOST_SPANS}), {(1 << 63) - 1})"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANY_TIME = (1 << 63) - 1
"""No time is later. What a caller gives is not later either: years end at 9999."""


@attrs.define
class LogTimes:
    """The last span, to which the log writer's commits add."""

    last: tuple[int, int] | None = None
    _next: tuple[int, int] | None = None

    @classmethod
    def load(cls, connection: sqlite3.Connection, position: int) -> "LogTimes":
        """Read the last span of a log that ends at a position."""
        connection.execute(FORGET_ABOVE, (position + 1,))
        last = connection.execute(LAST_SPAN).fetchone()
        return cls(last, last)

    def write(self, connection: sqlite3.Connection, first: int, plan: Plan) -> None:
        """Inside the open transaction, begin a span at `first`, where the plan's events do not fit into the last."""
        self._next = self.last
        if not plan.events:
            return
        since, before = _times(plan, first)
        if self.last is None or not (self.last[0] <= since and before <= self.last[1] <= self.last[0] + NARROW):
            self._next = (since, before)
            connection.execute(INSERT, (first, since, before))

    def committed(self) -> None:
        """Go on from what was written last."""
        self.last = self._next


def _times(plan: Plan, first: int) -> tuple[int, int]:
    """Return from which minute on and before which one the plan's events were received."""
    times: list[Any] = plan.receipts[1::RECEIPT_VALUES]
    if plan.settled:
        # What was replayed has no receipt, and the time of its first try.
        replayed = [row[2] for row in plan.settled.values() if isinstance(row[2], int)]
        times += [received_at(plan.events[position - first].body) for position in replayed]
        if None in times:
            return 0, ANY_TIME
    if not times:
        return 0, ANY_TIME
    return min(times) // MINUTE * MINUTE, max(times) // MINUTE * MINUTE + MINUTE


def received_at(line: bytes) -> int | None:
    """Return when an event was received, in milliseconds since the epoch; None if its line does not say so."""
    try:
        event = orjson.loads(line)
        return (datetime.fromisoformat(event["received_at"]) - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError, KeyError):
        return None


def delete_expired(connection: sqlite3.Connection) -> None:
    """Inside the open transaction, delete the spans whose events are all deleted."""
    connection.execute(DELETE)


def next_span(connection: sqlite3.Connection, after: int, since: int | None, before: int | None) -> tuple[int, int]:
    """Return the first position after `after` that can have such a time, and the newest position of the log.

    The first is beyond the newest if there is none.
    """
    first, newest = connection.execute(NEXT, _values(after + 1, since, before)).fetchone()
    return (newest if first is None else max(after, first - 1)) + 1, newest


def sure_until(connection: sqlite3.Connection, position: int, since: int | None, before: int | None) -> int:
    """Return up to which position every event from `position` on surely has such a time; less than it if none does."""
    return int(connection.execute(OUTSIDE, _values(position, since, before)).fetchone()[0]) - 1


def previous_span(connection: sqlite3.Connection, until: int, since: int | None, before: int | None) -> int:
    """Return the last position up to `until` that can have such a time; 0 if there is none."""
    found = connection.execute(PREVIOUS, _values(until, since, before)).fetchone()
    if found is None:
        return 0
    return until if found[0] is None else min(until, int(found[0]) - 1)


def _values(position: int, since: int | None, before: int | None) -> dict[str, int]:
    return {
        "position": position,
        "since": -ANY_TIME if since is None else since,
        "before": ANY_TIME if before is None else before,
    }
