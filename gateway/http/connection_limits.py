"""Which connections a process keeps: so many of one address, and no more than it has descriptors for. No HTTP here.

A process whose descriptors run out can neither accept a connection nor open a file of its store. So some are never
given to connections, and when it comes to those, idle connections make room: first of the addresses that have most.
"""

import contextlib
import logging
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

import attrs

from gateway.http.client_address import UNIX, Network, parse_address

RESERVED = 64  # descriptors that no connection gets: the store opens files while it serves
SHARE = 8  # of the idle connections, one in so many is closed at once: to look for them takes time
LOG_SECONDS = 60.0
REFUSALS = PER_ADDRESS, DESCRIPTORS = "connections_per_address", "descriptors"
"""Why a connection was refused or closed."""

Peer = bytes
"""An address as it is counted: the 4 bytes of an IPv4 address, or the first 8 of an IPv6 one, a network's (/64)."""

log = logging.getLogger(__name__)


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit of open files to the hard one, for its children too; return what it then is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS takes no infinity
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return descriptor_limit()


def descriptor_limit() -> int:
    """Return how many descriptors this process may have now."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Idle(Protocol):
    """A connection, as far as it may have to make room."""

    peer: str | None

    @property
    def is_busy(self) -> bool:
        """Whether a request has come whose answer was not written yet."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


@attrs.define
class _Warning:
    """A line of the log that is written once a minute at most."""

    at: float = float("-inf")
    count: int = 0

    def due(self, now: float, count: int) -> int:
        """Count, and return how many there were since the last line, if it is time for the next one."""
        self.count += count
        if now - self.at < LOG_SECONDS:
            return 0
        self.at, counted, self.count = now, self.count, 0
        return counted


def _nobody_counts(_reason: str, _count: int) -> None:
    pass


@attrs.define(eq=False)
class ConnectionLimits:
    """Counts one process's connections by address, as long as they are open.

    An address may have `per_address` of them; 0 is no limit. A connection from a proxy in `trusted` is not counted: it
    may be many clients' in turn. There the requests that are being answered count, each for its client. `on_refused` is
    called with PER_ADDRESS or DESCRIPTORS and with how many were refused or closed.
    """

    per_address: int = 0
    trusted: tuple[Network, ...] = ()
    on_refused: Callable[[str, int], None] = _nobody_counts
    clock: Callable[[], float] = time.monotonic
    descriptors: Callable[[], int] = descriptor_limit
    counts: dict[Peer, int] = attrs.field(factory=dict, init=False)
    _crowded: _Warning = attrs.field(factory=_Warning, init=False)
    _short: _Warning = attrs.field(factory=_Warning, init=False)

    def is_trusted(self, address: str | None) -> bool:
        """Return whether an address is a trusted proxy's, or stands for a program of this machine."""
        if address == UNIX:
            return True
        parsed = parse_address(address) if address and self.trusted else None
        return parsed is not None and any(parsed in network for network in self.trusted)

    def enter(self, address: str | None) -> Peer | None:
        """Count a connection or a request in; return what to give to `leave`, or None where it is one too many."""
        peer = peer_of(address)
        count = self.counts.get(peer, 0)
        if peer and 0 < self.per_address <= count:
            self.on_refused(PER_ADDRESS, 1)
            if refused := self._crowded.due(self.clock(), 1):
                log.warning("refused %d beyond server.connections_per_address, the last from %s", refused, address)
            return None
        if peer:
            self.counts[peer] = count + 1
        return peer

    def leave(self, peer: Peer) -> None:
        """Count a connection or a request out."""
        left = self.counts.get(peer, 0) - 1
        if left > 0:
            self.counts[peer] = left
        else:
            self.counts.pop(peer, None)

    def make_room(self, descriptor: int, connections: Callable[[], Iterable[Idle]]) -> bool:
        """Return whether a connection with a new descriptor can be kept; close idle ones where few are left.

        The kernel gives the lowest number that is free, so the number tells how many are taken. `connections` gives the
        open ones, the oldest first.
        """
        most = self.descriptors()
        if descriptor < most - min(RESERVED, most // 4):
            return True
        closed = self._close_idle(connections())
        self.on_refused(DESCRIPTORS, closed or 1)
        if refused := self._short.due(self.clock(), closed or 1):
            log.warning(
                "descriptors run out at %d: closed %d connections; raise the limit of open files, or set "
                "server.connections_per_address",
                *(most, refused),
            )
        return closed > 0

    def _close_idle(self, connections: Iterable[Idle]) -> int:
        """Close some of the idle connections; return how many."""
        idle = [each for each in connections if not each.is_busy]
        held = Counter(each.peer for each in idle)
        idle.sort(key=lambda each: held[each.peer], reverse=True)
        closed = idle[: -(-len(idle) // SHARE)]
        for connection in closed:
            connection.abort()
        return len(closed)


def peer_of(address: str | None) -> Peer:
    """Return an address as it is counted; nothing for what is no address, such as a Unix socket's."""
    parsed = None if address is None else parse_address(address)
    return b"" if parsed is None else parsed.packed[:8]
