"""Reads all of an overview from a store. Nothing here takes longer as the log grows."""

from collections.abc import Sequence

import attrs

from gateway.operate import counters
from gateway.operate.newest_event import newest_event
from gateway.operate.overview.counts import Counts, counts
from gateway.operate.overview.spans import Span
from gateway.storage.held.groups import RejectedGroup
from gateway.storage.info import DiskUse
from gateway.storage.store import Store

MOST_REJECTIONS = 50
"""Groups of rejected requests that are told: those with the most requests."""


@attrs.frozen(kw_only=True)
class Overview:
    """What an operator sees first, of one project or of all.

    `rejections` are groups of the newest rejected requests that came in since the span began, the largest first.
    `projects` are the names of all that anything was counted of. `newest_event` is when the last event of the log was
    received, as the event says it; None without one. `reader_lag` is for how many seconds readers have been waiting for
    an open transaction; None on an engine whose readers wait for nobody. These and `disk` are of the whole store.
    """

    counts: Counts
    rejections: Sequence[RejectedGroup]
    rejections_left_out: int
    projects: Sequence[str]
    newest_event: str | None
    reader_lag: float | None
    disk: DiskUse


async def overview(store: Store, span: Span, now: int, project: str | None = None) -> Overview:
    """Return the overview of a span that ends now; `now` is in milliseconds since the epoch. Raises StoreError."""
    async with store.records() as records:
        counted = await counts(records, span, now // 1000, project)
        projects = {name for name, _, _ in await counters.totals(records)}
        lag = await records.reader_lag()
        groups = await records.rejected_groups(counted.starts[0] * 1000)
    rejections = [each for each in groups if project in (None, each.project)]
    return Overview(
        counts=counted,
        rejections=rejections[:MOST_REJECTIONS],
        rejections_left_out=max(0, len(rejections) - MOST_REJECTIONS),
        projects=sorted(projects - {""}),
        newest_event=await newest_event(store),
        reader_lag=lag,
        disk=await store.disk_use(),
    )
