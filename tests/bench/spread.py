"""A median with its quartiles, of figures and of ratios between neighbours. Pure."""

from collections.abc import Callable, Mapping, Sequence
from statistics import quantiles
from typing import TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Spread:
    """What half of the values lie within, and their middle."""

    low: float
    middle: float
    high: float

    def times(self, factor: float) -> "Spread":
        """Return the same in another unit."""
        return Spread(self.low * factor, self.middle * factor, self.high * factor)


def spread(values: Sequence[float]) -> Spread:
    """Return the quartiles of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    return Spread(*quantiles(values, n=4, method="inclusive"))


def ratios(ours: Mapping[int, T], theirs: Mapping[int, T], figure: Callable[[T], float]) -> list[float]:
    """Return our figure over theirs in each round that both ran in.

    The two stand next to each other in time, so that a machine that was slow then was slow for both.
    """
    return [figure(one) / figure(theirs[number]) for number, one in ours.items() if number in theirs]
