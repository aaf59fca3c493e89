"""Counts by time: which buckets there are, how long each is kept, and what a count adds to them. Pure.

A bucket is named by its span and its start, both in seconds, the start since the epoch.
"""

from collections.abc import Iterable, Mapping

MINUTE, HOUR = 60, 3600
KEPT: Mapping[int, int] = {MINUTE: 2 * 86_400, HOUR: 400 * 86_400}
"""For how many seconds the buckets of each span are kept."""

Name = tuple[str, ...]
"""What is counted, such as `(project, dialect, verdict)`."""


def minute_of(millis: int) -> int:
    """Return the start of the minute in which a time lies; the time is in milliseconds since the epoch."""
    return millis // 60_000 * MINUTE


def rows(by_minute: Iterable[tuple[tuple[int, *Name], int]]) -> list[tuple[object, ...]]:
    """Return what to add to the buckets of every span: a list of `(span, start, *name, count)`.

    `by_minute` are counts by `(start of the minute, *name)`, each once:

        [((120, "shop", "toy", "stored"), 2)] -> [(60, 120, "shop", "toy", "stored", 2), (3600, 0, "shop", ...)]
    """
    found: dict[tuple[object, ...], int] = {}
    for (minute, *name), count in by_minute:
        found[MINUTE, minute, *name] = count
        hour = (HOUR, minute - minute % HOUR, *name)
        found[hour] = found.get(hour, 0) + count
    return [(*bucket, count) for bucket, count in found.items() if count]


def expired_before(span: int, now: int) -> int:
    """Return up to which start the buckets of a span have expired, all of each; `now` is in seconds."""
    return now - KEPT[span] - span


def covering(since: int, now: int) -> tuple[int, int]:
    """Return the span and the first start of the buckets that cover a time and all after it, in seconds.

    These are minutes, as long as they are kept; the start is the time rounded down.
    """
    span = MINUTE if since >= now - KEPT[MINUTE] else HOUR
    return span, since - since % span
