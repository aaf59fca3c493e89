"""The memory that the processes of a gateway share, a file without a name, and the counters in it, which add up.

What a process has counted stays here when it ends: the next one in its slot counts on. So a sum never goes back while
the gateway runs, whichever HTTP worker reports it. Only what a process says of itself begins anew.
"""

import logging
import mmap
import os
import struct
from types import TracebackType
from typing import Self

import attrs
from msgspec.msgpack import Decoder, Encoder

from gateway.ingest import preflights
from gateway.records import families
from gateway.records.families import Tallies
from gateway.records.metrics import Meter
from gateway.workers.control.job import HTTP_WORKER, WRITER, process_name

HALF = 128 * 1024
SLOT = mmap.PAGESIZE + 2 * HALF
TABLE = 256 * 1024
_LENGTH = struct.Struct("<I")
_PID = struct.Struct("<q")
PID_AT = 8
_encode = Encoder().encode
_decoder = Decoder(Tallies)
log = logging.getLogger(__name__)


@attrs.frozen
class SharedFile:
    """A file without a name: a slot for each process's counters, a table for each rate limit, one of preflights.

    The HTTP workers have the first slots, and the writer, where there is one, has the last.
    """

    descriptor: int
    data: mmap.mmap
    http_workers: int

    @classmethod
    def create(cls, http_workers: int, limits: int) -> Self:
        """Create the file, full of zeros."""
        descriptor = os.memfd_create("gateway")  # not on a disk: a full one would end this process with SIGBUS
        os.ftruncate(descriptor, (http_workers + 1) * SLOT + limits * TABLE + preflights.TABLE)
        return cls.open(descriptor, http_workers)

    @classmethod
    def open(cls, descriptor: int, http_workers: int) -> Self:
        """Map a file that was inherited."""
        return cls(descriptor, mmap.mmap(descriptor, 0), http_workers)

    @property
    def writer(self) -> int:
        """The number of the writer's slot."""
        return self.http_workers

    def slots(self) -> "list[Slot]":
        """Return the parts of all processes."""
        return [Slot(self.data, number * SLOT) for number in range(self.http_workers + 1)]

    def table(self, number: int) -> memoryview:
        """Return the part of the rate limit with that number, from 0."""
        start = (self.http_workers + 1) * SLOT + number * TABLE
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
class Slot:
    """One process's numbers, which that process writes and all read.

    There are two halves, of which one is valid: the byte at the start says which, the first if it is even. Each write
    increments it. So a reader notices a write in between, and a process that is killed while it writes leaves what it
    wrote before. Beside that byte is the process's id.
    """

    data: mmap.mmap
    start: int

    def write(self, tallies: Tallies) -> None:
        """Replace the numbers; log a warning and keep the last ones when they are too many."""
        body = _encode(tallies)
        if len(body) > HALF - _LENGTH.size:
            log.warning("%d bytes of counters are too many to share; the other workers know the last ones", len(body))
            return
        turn = (self.data[self.start] + 1) % 256
        at = self._half(turn)
        self.data[at : at + _LENGTH.size] = _LENGTH.pack(len(body))
        self.data[at + _LENGTH.size : at + _LENGTH.size + len(body)] = body
        self.data[self.start] = turn

    def read(self) -> Tallies:
        """Return the numbers that were written last."""
        while True:
            turn = self.data[self.start]
            at = self._half(turn)
            (length,) = _LENGTH.unpack_from(self.data, at)
            body = self.data[at + _LENGTH.size : at + _LENGTH.size + length]
            if self.data[self.start] == turn:
                return _decoder.decode(body) if body else {}

    def take(self) -> None:
        """Let the others know that this process has the slot now."""
        at = self.start + PID_AT
        self.data[at : at + _PID.size] = _PID.pack(os.getpid())

    def owner(self) -> int:
        """Return the id of the process that took the slot last; 0 if none did."""
        (pid,) = _PID.unpack_from(self.data, self.start + PID_AT)
        return int(pid)

    def _half(self, turn: int) -> int:
        return self.start + mmap.PAGESIZE + turn % 2 * HALF


class SharedMeter(Meter):
    """One process's numbers, told as the sums over all processes.

    `publish` is to be called often; to `collect` publishes too.
    """

    def __init__(self, file: SharedFile, slot: int) -> None:
        self._names = [process_name(HTTP_WORKER, number) for number in range(file.http_workers)] + [WRITER]
        super().__init__(self._names[slot])
        self._slots = file.slots()
        self._own = self._slots[slot]
        self._own.take()
        self._before = {name: numbers for name, numbers in self._own.read().items() if name[0] in families.KEPT}

    def publish(self) -> None:
        """Let the others know what this process and its predecessors in the slot have counted."""
        tallies = super().tallies()
        families.add(tallies, self._before)
        self._own.write(tallies)

    def tallies(self) -> Tallies:
        """Return the sums; published first, so that no other worker reports less later on."""
        self.publish()
        sums: Tallies = {}
        for slot in self._slots:
            families.add(sums, slot.read())
        return sums

    def processes(self) -> dict[str, int]:
        """See Meter."""
        return {name: pid for name, slot in zip(self._names, self._slots, strict=True) if (pid := slot.owner())}
