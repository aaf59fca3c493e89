"""What is logged meanwhile."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def said() -> Iterator[list[str]]:
    """Collect the warnings and errors that are logged in a block."""
    found: list[str] = []
    handler = _Collector(found)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield found
    finally:
        root.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())
