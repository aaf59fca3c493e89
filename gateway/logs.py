"""How the gateway's processes log: a record is one line, whatever a client wrote into it; tracebacks are indented."""

import logging
from typing import Any

from gateway.printable import printable

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class OneLine(logging.Formatter):
    """A formatter that escapes what a terminal would obey and what would look like another record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """See Formatter."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """See Formatter."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """See Formatter."""
        return _indented(super().formatStack(stack_info))


def configure(level: str, form: str = FORMAT) -> None:
    """Log to standard error from now on; `level` is a name such as `info`."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine(form))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _indented(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
