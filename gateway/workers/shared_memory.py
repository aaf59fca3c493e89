"""The memory that HTTP workers share, a file without a name, and the counters in it, which add up over all workers.

What a worker has counted stays here when it ends: the next one in its slot counts on. So a sum never goes back while
the gateway runs, whichever worker reports it. Only gauges begin anew.
"""

import logging
import mmap
import os
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import attrs
from msgspec.msgpack import Decoder, Encoder
from prometheus_client import Metric

from gateway.ingest import preflights
from gateway.records.metrics import GAUGES, Meter

HALF = 128 * 1024
SLOT = mmap.PAGESIZE + 2 * HALF
TABLE = 256 * 1024
_LENGTH = struct.Struct("<I")
Samples = dict[tuple[str, str, tuple[tuple[str, str], ...]], float]
"""Values by family, sample and labels: `{("gateway_items", "gateway_items_total", (("dialect", "acme"),)): 3.0}`."""
_encode = Encoder().encode
_decoder = Decoder(Samples)
log = logging.getLogger(__name__)


@attrs.frozen
class SharedFile:
    """A file without a name: a slot for each HTTP worker's counters, a table for each rate limit, one of preflights."""

    descriptor: int
    data: mmap.mmap
    http_workers: int

    @classmethod
    def create(cls, http_workers: int, limits: int) -> Self:
        """Create the file, full of zeros."""
        descriptor = os.memfd_create("gateway")  # not on a disk: a full one would end this process with SIGBUS
        os.ftruncate(descriptor, http_workers * SLOT + limits * TABLE + preflights.TABLE)
        return cls.open(descriptor, http_workers)

    @classmethod
    def open(cls, descriptor: int, http_workers: int) -> Self:
        """Map a file that was inherited."""
        return cls(descriptor, mmap.mmap(descriptor, 0), http_workers)

    def slot(self, number: int) -> "SampleSlot":
        """Return the part of the HTTP worker with that number, from 0."""
        return SampleSlot(self.data, number * SLOT)

    def table(self, number: int) -> memoryview:
        """Return the part of the rate limit with that number, from 0."""
        start = self.http_workers * SLOT + number * TABLE
        return memoryview(self.data)[start : start + TABLE]

    def preflights(self) -> memoryview:
        """Return the part of the preflights that wait for their request."""
        return memoryview(self.data)[len(self.data) - preflights.TABLE :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.data.close()
        os.close(self.descriptor)


@attrs.frozen
class SampleSlot:
    """One HTTP worker's samples, which that worker writes and all read.

    There are two halves, of which one is valid: the byte at the start says which, the first if it is even. Each write
    increments it. So a reader notices a write in between, and a worker that is killed while it writes leaves what it
    wrote before.
    """

    data: mmap.mmap
    start: int

    def write(self, samples: Samples) -> None:
        """Replace the samples; log a warning and keep the last ones when they are too many."""
        body = _encode(samples)
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
                return _decoder.decode(body) if body else {}

    def _half(self, turn: int) -> int:
        return self.start + mmap.PAGESIZE + turn % 2 * HALF


class SharedMeter(Meter):
    """One HTTP worker's counters, reported as the sums over all workers.

    `publish` is to be called often; to `collect` publishes too.
    """

    def __init__(self, file: SharedFile, slot: int) -> None:
        super().__init__()
        self._slots = [file.slot(number) for number in range(file.http_workers)]
        self._own = self._slots[slot]
        counted = self._own.read().items()
        self._before = {name: value for name, value in counted if name[0] not in GAUGES}

    def publish(self) -> None:
        """Let the other workers know what this one and its predecessors in the slot have counted."""
        samples = _samples(super().collect())
        self._own.write({name: samples.get(name, 0) + self._before.get(name, 0) for name in samples | self._before})

    def collect(self) -> Iterator[Metric]:
        """Yield the families of Meter with sums; published first, so that no other worker reports less later on."""
        self.publish()
        sums: Samples = {}
        for slot in self._slots:
            for name, value in slot.read().items():
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
