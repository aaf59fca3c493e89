"""Replaying and dropping quarantined items, one by one or a group a part at a time. Who asks words the results."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import attrs

from gateway.operate.explain import explain
from gateway.operate.held.replay import Replay
from gateway.storage.contract import Appended, AppendStatus, Entry
from gateway.storage.held.groups import QuarantineFilter
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.records import Records

Append = Callable[[Entry], Awaitable[Appended]]
"""Returns once an entry is on disk."""


class UnknownItem(Exception):
    """There never was an item of that id; the message says so."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no quarantined item {number}")


@attrs.frozen
class ItemsReplayed:
    """How a replay ended. `failed` has the items that stay, as `(id, why)`. What had ended before does not count."""

    stored: int
    duplicate: int
    failed: Sequence[tuple[int, str]]

    @property
    def summary(self) -> str:
        """The totals: `2 stored, 0 already stored, 1 failed again`."""
        return f"{self.stored} stored, {self.duplicate} already stored, {len(self.failed)} failed again"


@attrs.frozen
class GroupReplayed:
    """How the replay of a part of a group ended. The rest of it is `before` this id; None if that was all."""

    result: ItemsReplayed
    before: int | None


async def settled_before(records: Records, numbers: Iterable[int]) -> dict[int, str]:
    """Return what happened to the items that are no longer in quarantine: `{1: "stored at position 7"}`.

    Raises UnknownItem on the id of no item.
    """
    found = {}
    for number in numbers:
        if await records.quarantine_record(number) is None:
            how = await records.settled(number)
            if how is None:
                raise UnknownItem(number)
            found[number] = how
    return found


async def replay(
    records: Records, append: Append, replayer: Replay, numbers: Iterable[int], now: Callable[[], int]
) -> ItemsReplayed:
    """Store the items that are valid now, as the installed dialects have it. The others stay.

    An item is stored once, however often it is replayed. Raises what `append` raises: what was replayed by then stays
    so.
    """
    stored = duplicate = 0
    failed: list[tuple[int, str]] = []
    for number in numbers:
        item = await records.quarantine_record(number)
        if item is None:
            continue
        run = replayer.rerun(item)
        if run.row is None:
            failed += [(number, explain(each.code, each.pointer, each.detail)) for each in run.faults[:1]]
            continue
        appended = await append(run.entry(item, now()))
        if appended.status is AppendStatus.NEW:
            stored, duplicate = (stored, duplicate + 1) if appended.duplicates else (stored + 1, duplicate)
    return ItemsReplayed(stored, duplicate, failed)


async def replay_group(
    records: Records,
    append: Append,
    replayer: Replay,
    where: QuarantineFilter,
    now: Callable[[], int],
    *,
    before: int | None = None,
    most: int,
) -> GroupReplayed:
    """Replay the newest items of a group with ids before `before`, at most so many, in the order in which they came."""
    page = await records.quarantine_page(where, before, most)
    numbers = sorted(row["id"] for row in page.rows)
    return GroupReplayed(await replay(records, append, replayer, numbers, now), page.before)


async def drop(append: Append, items: Sequence[QuarantineRecord], now: Callable[[], int]) -> int:
    """Remove items for good, and return how many were still there. Raises what `append` raises."""
    entries = [Entry(each.project, each.dialect, each.route, now(), resolves=each.number) for each in items]
    answers = [await append(entry) for entry in entries]
    return sum(each.status is AppendStatus.NEW for each in answers)
