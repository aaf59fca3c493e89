"""What every format does: the protocol, and what it is told beforehand."""

from collections.abc import Iterable
from typing import Protocol

import attrs

from gateway.storage.read import Page


class FormatError(Exception):
    """A format cannot be written: its library is missing, or an event is none. The message is one line."""


@attrs.frozen(kw_only=True)
class FormatOptions:
    """How events are written.

    With a `position`, each has the place of its own first: `int` where the log's positions are numbers, else `str`.
    `line_end` is that of CSV, which RFC 4180 wants; a terminal wants another one.
    """

    position: type[int] | type[str] | None = None
    line_end: str = "\r\n"


class Encoder(Protocol):
    """One export. The bytes of all calls in their order are the file; each holds a bounded part of the log.

    Raises FormatError.
    """

    def start(self) -> bytes:
        """Return what comes before all events."""
        ...

    def encode(self, page: Page) -> Iterable[bytes]:
        """Return the bytes of a page that has events, or fewer or more: some formats collect."""
        ...

    def finish(self) -> bytes:
        """Return what comes after all events."""
        ...
