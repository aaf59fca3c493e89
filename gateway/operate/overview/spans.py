"""The times that an overview covers, and the steps they are divided into. Pure."""

from collections.abc import Mapping

import attrs

from gateway.storage.buckets import HOUR, MINUTE


@attrs.frozen(kw_only=True)
class Span:
    """A time up to now, in `steps` of `step` seconds each. `bucket` is the span of the counters that it is read from.

    A step begins at a multiple of itself, so that it does not move between two looks.
    """

    name: str
    bucket: int
    step: int
    steps: int

    def starts(self, now: int) -> range:
        """Return when each step begins, in seconds since the epoch like `now`; the last one has not ended yet."""
        last = now - now % self.step
        return range(last - (self.steps - 1) * self.step, last + 1, self.step)


SPANS: Mapping[str, Span] = {
    span.name: span
    for span in (
        Span(name="hour", bucket=MINUTE, step=MINUTE, steps=60),
        Span(name="day", bucket=MINUTE, step=5 * MINUTE, steps=288),
        Span(name="month", bucket=HOUR, step=6 * HOUR, steps=120),
    )
}
"""An hour by the minute, a day in five minutes each, thirty days in six hours each."""
