"""One contestant under one load for a moment, all such moments of one run, and the figures made of them. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import attrs

from tests.bench.histogram import Histogram, percentile, pooled
from tests.bench.spread import Spread, ratios, spread

CALM = 0.25  # of one core: what others may use of all cores; the kernel's own work for the disk is in it
ENOUGH = 1 / 3  # of the rounds must be calm, or all of them count and rates and latencies are unsure


@attrs.frozen
class Slice:
    """What was measured between the first request and the last answer. `rate` is requests/s while the load was full.

    `later_cpu` is what the server used after its last answer until it was quiet: a price of the requests all the same.
    """

    requests: int
    seconds: float
    rate: float
    server_cpu: float
    later_cpu: float
    load_cpu: float
    others_cpu: float
    latencies: Histogram

    @property
    def is_calm(self) -> bool:
        """Whether the rest of the machine did little meanwhile."""
        return self.others_cpu < CALM * self.seconds


def rate(one: Slice) -> float:
    """Return requests/s, as they would be if what the server put off had to be done in time."""
    return one.requests / (one.requests / one.rate + one.later_cpu)


def cpu(one: Slice) -> float:
    """Return the server's CPU microseconds a request."""
    return (one.server_cpu + one.later_cpu) / one.requests * 1e6


def p99(one: Slice) -> float:
    """Return the microseconds that one latency in a hundred exceeds."""
    return percentile(one.latencies, 0.99)


def steady_rate(times: Sequence[float], connections: int, started: float, deadline: float) -> float:
    """Return requests/s between the first answers on all connections and the last answer before the deadline.

    Outside of these the load is not full: a slice that counts its own tail holds the more against a server the longer
    its answers take. Where too few answers lie between, the whole of the slice has to do.
    """
    if not times:
        return 0.0
    first, last = connections - 1, bisect_right(times, deadline) - 1
    if last - first < connections:
        return len(times) / (times[-1] - started)
    return (last - first) / (times[last] - times[first])


@attrs.frozen
class Series:
    """All slices of one contestant in one scenario, by round. Its figures are medians over the calm rounds.

    Times are microseconds, shares are of one core. Latencies are pooled over the rounds. A server that has work enough
    and yet uses less than its core waits for the disk, or shares the core with others.
    """

    scenario: str
    contestant: str
    items: int
    slices: Mapping[int, Slice]

    def over(self, other: "Series", figure: Callable[[Slice], float]) -> Spread:
        """Return our figure a request over theirs: the median of the rounds' ratios, never the ratio of medians."""
        both = self.rounds_with(other)
        return spread(ratios({number: self.slices[number] for number in both}, other.slices, figure))

    def rounds_with(self, other: "Series") -> list[int]:
        """Return the rounds in which both ran and others did little; all that both ran in where those are too few."""
        calm = self._calm_with(other)
        return calm if self.is_certain_with(other) else [number for number in self.slices if number in other.slices]

    def is_certain_with(self, other: "Series") -> bool:
        """Return whether there were calm rounds enough: where others use the cores, who waits for a disk loses less."""
        return len(self._calm_with(other)) >= ENOUGH * len(self.slices.keys() & other.slices.keys())

    def events_over(self, other: "Series") -> Spread:
        """Return our events/s over theirs."""
        return self.over(other, rate).times(self.items / other.items)

    def events_of(self, other: "Series") -> Spread:
        """Return our events for the CPU of one request of theirs."""
        return other.over(self, cpu).times(self.items / other.items)

    @property
    def requests_per_second(self) -> float:
        """Requests, not events."""
        return self._median(rate)

    @property
    def events_per_second(self) -> float:
        """Events, not requests."""
        return self.requests_per_second * self.items

    @property
    def cpu_per_request(self) -> float:
        """The server's CPU."""
        return self._median(cpu)

    @property
    def cpu_per_event(self) -> float:
        """The server's CPU, shared among the events of a request."""
        return self.cpu_per_request / self.items

    @property
    def server_share(self) -> float:
        """What the server used of a core; several processes may use several."""
        return self._median(lambda one: one.server_cpu / one.seconds)

    @property
    def load_share(self) -> float:
        """What the load generator used of its core."""
        return self._median(lambda one: one.load_cpu / one.seconds)

    @property
    def calm(self) -> str:
        """How many of the rounds were calm."""
        return f"{len(self._calm_with(self))} of {len(self.slices)}"

    def latency(self, share: float) -> float:
        """Return a percentile of all rounds' latencies together, so that a rare pause shows."""
        return percentile(pooled(self.slices[number].latencies for number in self.rounds_with(self)), share)

    def _median(self, figure: Callable[[Slice], float]) -> float:
        return median(figure(self.slices[number]) for number in self.rounds_with(self))

    def _calm_with(self, other: "Series") -> list[int]:
        both = [number for number in self.slices if number in other.slices]
        return [number for number in both if self.slices[number].is_calm and other.slices[number].is_calm]
