"""Events by time and dialect, and outcomes by project and dialect, as the counters have them."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from gateway.dialect.outcome import Verdict
from gateway.operate.overview.spans import Span
from gateway.storage.buckets import HOUR
from gateway.storage.records import Records

VERDICTS = tuple(verdict.value for verdict in Verdict)
MOST_PLACES = 200
"""Projects and dialects whose outcomes are told one by one: those with the most items."""


@attrs.frozen(kw_only=True)
class Outcomes:
    """How many items of a project and dialect had each verdict; an unknown project is empty.

    A replayed item leaves `quarantined` at the time of its replay, so that a count may be negative.
    """

    project: str
    dialect: str
    counts: Mapping[str, int]


@attrs.frozen(kw_only=True)
class Counts:
    """What was counted in the steps of a span. Times are in seconds since the epoch.

    `events` has the number of stored events of each step, by dialect, without dialects that had none. `outcomes` has
    the places with the most items first; `left_out` is how many there are beside them, and `total` is of all.
    `counted_since` is set if an older gateway ran later than the first step: it kept no counters by time.
    """

    starts: range
    events: Mapping[str, Sequence[int]]
    outcomes: Sequence[Outcomes]
    left_out: int
    total: Mapping[str, int]
    counted_since: int | None = None


async def counts(records: Records, span: Span, now: int, project: str | None = None) -> Counts:
    """Return what was counted in a span, of one project or of all. `now` is in seconds. Raises StoreError."""
    starts = span.starts(now)
    by_time = await records.stored_by_time(span.bucket, starts[0], span.step, project)
    since = await records.counted_since()
    outcomes = _outcomes(await _by_project(records, span.bucket, starts[0], project))
    return Counts(
        starts=starts,
        events=_series(starts, by_time),
        outcomes=outcomes[:MOST_PLACES],
        left_out=max(0, len(outcomes) - MOST_PLACES),
        total={verdict: sum([each.counts[verdict] for each in outcomes]) for verdict in VERDICTS},
        counted_since=since if since is not None and since > starts[0] else None,
    )


async def _by_project(
    records: Records, bucket: int, since: int, project: str | None
) -> list[tuple[str, str, str, int]]:
    """Return the sums since a time. Of minutes, which are many, only those up to the next whole hour are read."""
    if bucket == HOUR:
        return await records.counts_by_project(HOUR, since, None, project)
    hour = -(-since // HOUR) * HOUR
    minutes = await records.counts_by_project(bucket, since, hour, project)
    return minutes + await records.counts_by_project(HOUR, hour, None, project)


def _series(starts: range, by_time: Iterable[tuple[int, str, int]]) -> dict[str, list[int]]:
    """Return the stored events of each step by dialect, with a zero for a step without any."""
    found: dict[str, list[int]] = {}
    for start, dialect, count in by_time:
        if start in starts:  # a clock that was set back leaves counts of the future
            found.setdefault(dialect, [0] * len(starts))[starts.index(start)] = count
    return dict(sorted(found.items()))


def _outcomes(by_project: Iterable[tuple[str, str, str, int]]) -> list[Outcomes]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for project, dialect, verdict, count in by_project:
        if verdict in VERDICTS:  # `received` is counted like a verdict, and is the sum of some
            found.setdefault((project, dialect), dict.fromkeys(VERDICTS, 0))[verdict] += count
    outcomes = [Outcomes(project=place[0], dialect=place[1], counts=each) for place, each in found.items()]
    return sorted(outcomes, key=lambda each: (-sum(each.counts.values()), each.project, each.dialect))
