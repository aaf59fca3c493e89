"""What is logged during a block, whoever logs it. Nothing of it is printed."""

import contextlib
import logging
from collections.abc import Iterator

_FORMATTER = logging.Formatter("%(name)s %(levelname)s %(message)s")


class Logged(logging.Handler):
    """The records of a block, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Hold a record."""
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        """Return the text of each record, with its traceback and its facts behind the message."""
        return [f"{_FORMATTER.format(record)} {record.__dict__}" for record in self.records]

    @property
    def errors(self) -> list[BaseException]:
        """Return the exceptions that were logged, each as it was then: the gateway drops tracebacks afterwards."""
        logged = [each.exc_info for each in self.records if each.exc_info]
        return [problem.with_traceback(trace) for _, problem, trace in logged if problem is not None]


@contextlib.contextmanager
def logged(level: int = logging.DEBUG) -> Iterator[Logged]:
    """Yield what holds the records of the block, from a level on."""
    root = logging.getLogger()
    before, held = root.level, Logged()
    root.setLevel(level)
    try:
        with _only(held):
            yield held
    finally:
        root.setLevel(before)


def unlogged() -> contextlib.AbstractContextManager[None]:
    """Print nothing that is logged during a block, and hold nothing of it."""
    return _only(logging.NullHandler())


@contextlib.contextmanager
def _only(handler: logging.Handler) -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [handler]
    try:
        yield
    finally:
        root.handlers[:] = before
