"""Memory that the fronts share, in a file without a name that the main process keeps: counters that add up.

What a front counts outlives it here: whoever takes its slot counts on. So a sum never goes backwards while the gateway
runs, whichever front is asked.
"""

import logging
import marshal
import mmap
import os
import struct
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import attrs
from prometheus_client import Metric

from gateway.records.metrics import Meter

HALF = 32 * 1024
ROW = 2 * HALF + mmap.PAGESIZE
TABLE = 256 * 1024
_LENGTH = struct.Struct("<I")
Samples = dict[tuple[str, str, tuple[tuple[str, str], ...]], float]
log = logging.getLogger(__name__)


@attrs.frozen
class SharedFile:
    """A file without a name, its beginning the time at which it was made: a row a front, then a table a rate limit."""

    descriptor: int
    data: mmap.mmap
    http_workers: int

    @classmethod
    def make(cls, http_workers: int, limits: int) -> Self:
        """Make the file, full of zeros but for the time, in seconds since the epoch."""
        descriptor = os.memfd_create("gateway")  # not on a disk: one that is full would end us with SIGBUS
        os.ftruncate(descriptor, mmap.PAGESIZE + http_workers * ROW + limits * TABLE)
        made = cls.open(descriptor, http_workers)
        struct.pack_into("<q", made.data, 0, int(time.time()))
        return made

    @classmethod
    def open(cls, descriptor: int, http_workers: int) -> Self:
        """Map a file that was inherited."""
        return cls(descriptor, mmap.mmap(descriptor, 0), http_workers)

    @property
    def made(self) -> int:
        """Return when the file was made."""
        return int(struct.unpack_from("<q", self.data, 0)[0])

    def row(self, slot: int) -> "SampleSlot":
        """Return a front's part."""
        return SampleSlot(self.data, mmap.PAGESIZE + slot * ROW)

    def table(self, number: int) -> memoryview:
        """Return a rate limit's part."""
        start = mmap.PAGESIZE + self.http_workers * ROW + number * TABLE
        return memoryview(self.data)[start : start + TABLE]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.data.close()
        os.close(self.descriptor)


@attrs.frozen
class SampleSlot:
    """One front's samples: that front writes, all read. Of two halves one is valid; a byte says which.

    The byte counts on with each write, so that a reader notices one that went on meanwhile, and a front that is killed
    while it writes leaves what it wrote before.
    """

    data: mmap.mmap
    start: int

    def write(self, samples: Samples) -> None:
        """Replace the samples."""
        body = marshal.dumps(samples)
        if len(body) > HALF - _LENGTH.size:
            log.warning("%d bytes of counters are too many to share; the other workers know the last ones", len(body))
            return
        turn = (self.data[self.start] + 1) % 256
        at = self._half(turn)
        self.data[at : at + _LENGTH.size] = _LENGTH.pack(len(body))
        self.data[at + _LENGTH.size : at + _LENGTH.size + len(body)] = body
        self.data[self.start] = turn

    def read(self) -> Samples:
        """Return the samples that were written last."""
        while True:
            turn = self.data[self.start]
            at = self._half(turn)
            (length,) = _LENGTH.unpack_from(self.data, at)
            body = self.data[at + _LENGTH.size : at + _LENGTH.size + length]
            if self.data[self.start] == turn:
                samples: Samples = marshal.loads(body) if body else {}  # noqa: S302 (only fronts write here)
                return samples

    def _half(self, turn: int) -> int:
        return self.start + mmap.PAGESIZE + turn % 2 * HALF


class SharedMeter(Meter):
    """A front's counters, told as the sums over all fronts. `publish` is to be called often; telling does it too."""

    def __init__(self, file: SharedFile, slot: int) -> None:
        super().__init__()
        self._rows = [file.row(each) for each in range(file.http_workers)]
        self._own = self._rows[slot]
        self._before = self._own.read()

    def publish(self) -> None:
        """Let the other fronts know what this one has counted, and those before it in its slot."""
        samples = _samples(super().collect())
        self._own.write({name: samples.get(name, 0) + self._before.get(name, 0) for name in samples | self._before})

    def collect(self) -> Iterator[Metric]:
        """Yield what Meter does, summed; published first, so that no other front ever tells less than this one did."""
        self.publish()
        sums: Samples = {}
        for row in self._rows:
            for name, value in row.read().items():
                sums[name] = sums.get(name, 0) + value
        for family in super().collect():
            total = Metric(family.name, family.documentation, family.type)
            for (owner, sample, labels), value in sorted(sums.items()):
                if owner == family.name:
                    total.add_sample(sample, dict(labels), value)
            yield total


def _samples(families: Iterator[Any]) -> Samples:
    return {
        (family.name, sample.name, tuple(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
