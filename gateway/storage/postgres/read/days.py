"""Which days' partitions have the events of a position.

Transactions get their numbers in the order of time, so that a later day has higher ones; around midnight two days may
overlap, and after a database's clock was set back perhaps more. So a page reads two days together, and ends where a
third one begins.
"""

import datetime
from collections.abc import Sequence

import attrs

from gateway.storage.postgres.connection.session import Connection

LISTED = (
    "SELECT child.relname, (now() AT TIME ZONE 'UTC')::date FROM pg_inherits "
    "JOIN pg_class child ON child.oid = inhrelid WHERE inhparent = to_regclass('gateway.events') ORDER BY 1"
)
# Both ends of one index. (By `min` and `max` the planner may read the whole of another.)
PROBE = (
    "SELECT {place}, (SELECT xid FROM gateway.events WHERE day = '{day}' ORDER BY xid, number LIMIT 1), "
    "(SELECT xid FROM gateway.events WHERE day = '{day}' ORDER BY xid DESC, number DESC LIMIT 1)"
)
OPEN_DAYS = 2
"""Days before today whose partitions may still get events."""
AT_ONCE = 50


@attrs.frozen
class Day:
    """A day that has events: those of the transactions from `first` to `last`."""

    date: datetime.date
    first: int
    last: int


@attrs.frozen
class Window:
    """The days that a page may read, as SQL; `first` and `last` are the transactions in which it must stay."""

    dates: str
    first: int
    last: int


class Days:
    """What is known of the days that have events. Of days that are over, it is asked only once."""

    def __init__(self) -> None:
        self._closed: dict[str, Day | None] = {}

    async def load(self, db: Connection) -> list[Day]:
        """Return the days that have events, in order, in the snapshot of the open transaction."""
        rows = await db.fetch(LISTED)
        names = [name for name, _ in rows]
        self._closed = {name: day for name, day in self._closed.items() if name in names}
        asked = [name for name in names if name not in self._closed]
        found: dict[str, Day | None] = {}
        for start in range(0, len(asked), AT_ONCE):
            part = asked[start : start + AT_ONCE]
            # By the parent's name: another gateway may just have dropped the partition.
            probes = [PROBE.format(place=place, day=_date(name)) for place, name in enumerate(part)]
            for place, first, last in await db.fetch(" UNION ALL ".join(probes)):
                name = part[place]
                found[name] = None if first is None else Day(_date(name), first, last)
        today = rows[0][1] if rows else datetime.date.min
        for name, day in found.items():
            if (today - _date(name)).days > OPEN_DAYS:
                self._closed[name] = day
        known = {**self._closed, **found}
        return [day for name in names if (day := known[name]) is not None]


def forward(days: Sequence[Day], xid: int, horizon: int) -> Window | None:
    """Return where the events from a transaction on begin, below the horizon; None if there are none."""
    ahead = [day for day in days if day.last >= xid]
    if not ahead:
        return None
    last = min([horizon, *[day.first for day in ahead[2:]]]) - 1
    return Window(_sql(ahead[:2]), xid, last)


def backward(days: Sequence[Day], xid: int, horizon: int) -> Window | None:
    """Return where the events up to a transaction end, below the horizon; None if there are none."""
    behind = [day for day in days if day.first <= xid]
    if not behind:
        return None
    first = max([0, *[day.last + 1 for day in behind[:-2]]])
    return Window(_sql(behind[-2:]), first, min(xid, horizon - 1))


def _sql(days: Sequence[Day]) -> str:
    return ", ".join([f"'{day.date}'" for day in days])


def _date(name: str) -> datetime.date:
    return datetime.datetime.strptime(name.rpartition("_")[2], "%Y%m%d").date()
