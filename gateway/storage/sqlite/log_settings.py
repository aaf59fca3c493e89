"""What can be set of a log. Values only."""

import time
from collections.abc import Callable

import attrs

from gateway.storage.sqlite.dedupe.bloom_filter import MIN_BYTES
from gateway.storage.sqlite.quarantine import unbounded


@attrs.frozen
class LogSettings:
    """What can be set of a log; all times are in seconds.

    Keys and idempotency records are remembered for at least `window`. Events of a project are deleted after
    `keep_events_of` it, by default after `keep_events`; 0 keeps them for ever. Requests of stored events are deleted
    after `keep_raw`, 0 keeps none. `max_memtable_keys`, `filter_bytes` and `save_every` are those of KnownKeys. `clock`
    never jumps. `quarantine_bytes` gives the size that the quarantine of a project may have. `compress` makes new
    chunks compressed (see log/compression.py). What is left to do beside the commits is done every `tidy_every`, with
    the time of `wall_clock`.
    """

    window: float = 7 * 86_400.0
    keep_raw: float = 0.0
    keep_events: float = 0.0
    max_memtable_keys: int = 200_000
    filter_bytes: int = MIN_BYTES
    save_every: int = 1_000_000
    clock: Callable[[], float] = time.monotonic
    quarantine_bytes: Callable[[str], int] = unbounded
    compress: bool = False
    tidy_every: float = 60.0
    wall_clock: Callable[[], float] = time.time
    keep_events_of: Callable[[str], float] = attrs.field(
        default=attrs.Factory(lambda settings: lambda _project: settings.keep_events, takes_self=True), eq=False
    )
