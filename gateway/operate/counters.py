"""The counters that are committed together with the events: sums, read from the store when asked."""

from collections import Counter

import attrs

from gateway.dialect.outcome import Verdict
from gateway.storage import buckets
from gateway.storage.records import Records

ERASED = "erased"
"""Counts like a verdict beside the others: events that were stored, and erased with their person since."""
Totals = Counter[tuple[str, str, str]]
"""Counts by project, dialect and verdict: `{("shop", "tranthor", "stored"): 2}`. `received` counts like a verdict."""


async def totals(records: Records) -> Totals:
    """Return the counters by (project, dialect, verdict), those of rejected requests too. Raises StoreError."""
    found: Totals = Counter()
    for project, dialect, verdict, count in await records.counters():
        found[project, dialect, verdict] += count
    for project, dialect, count in await records.rejected_counts():
        found[project, dialect, Verdict.REJECTED.value] += count
    return found


@attrs.frozen
class TotalsSince:
    """The counters of a time and all after it, as `totals` has them, and the times that they really cover.

    `since` is the start of the first bucket. `counted_since` is set if an older gateway ran after it, which kept no
    counters by time: only what came later is in the totals. Both are in milliseconds since the epoch.
    """

    totals: Totals
    since: int
    counted_since: int | None = None


async def totals_since(records: Records, since: int, now: int) -> TotalsSince:
    """Return what the counters have grown by since a time, which is rounded down to a minute or an hour.

    Minutes are kept for two days, hours for 400 days. Times are in milliseconds since the epoch. Raises StoreError.
    """
    span, start = buckets.covering(since // 1000, now // 1000)
    found: Totals = Counter()
    for project, dialect, verdict, count in await records.counts_by_project(span, start):
        found[project, dialect, verdict] += count
    first = await records.counted_since()
    late = first if first is not None and first > start else None
    return TotalsSince(found, start * 1000, None if late is None else late * 1000)
