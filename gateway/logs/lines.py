"""How the gateway's processes log: a record is one line of text or of JSON, whatever a client wrote into it.

A record may carry facts beside its message: `log.info("refused %s", text, extra=facts(project="shop"))`. They are keys
of the JSON line. Text has the message only, so it must say the same.
"""

import json
import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

from gateway.printable import printable, printable_lines

TEXT, JSON = "text", "json"
MAIN = "gateway"
"""The name of the process that the others belong to."""
CHATTY = ("aiosqlite", "asyncio")
"""Libraries whose level `debug` tells every statement with all that is in it: events, addresses."""
_handler = logging.StreamHandler()


def facts(**values: object) -> dict[str, Any]:
    """Return what a record's `extra` is to be; facts that are None are left out."""
    return {"facts": {name: value for name, value in values.items() if value is not None}}


class TextLine(logging.Formatter):
    """A formatter that escapes what a terminal would obey and what would look like another record.

    2026-11-28T09:30:00.125Z INFO [writer] gateway.storage.group_commit: message

    A traceback follows on lines of its own, each indented.
    """

    def __init__(self, process: str = MAIN) -> None:
        super().__init__(f"%(time)s %(levelname)s [{process}] %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """See Formatter."""
        record.time = _time(record)
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """See Formatter."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """See Formatter."""
        return _indented(super().formatStack(stack_info))


class JsonLine(logging.Formatter):
    """A formatter that writes one JSON object a record; it is ASCII. What is harmless as text is so once it is parsed.

    {"time": "2026-11-28T09:30:00.125Z", "level": "info", "process": "writer", "logger": "gateway.serve",
    "message": "...", "project": "shop", "exception": "Traceback ..."}
    """

    def __init__(self, process: str = MAIN) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """See Formatter."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": printable(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = printable_lines(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = printable_lines(self.formatStack(record.stack_info))
        known: Mapping[str, object] = getattr(record, "facts", {})
        more = {name: _harmless(value) for name, value in known.items() if name not in line}
        return json.dumps({**line, **more})


def configure(level: str, form: str = TEXT, process: str = MAIN) -> None:
    """Log to standard error from now on; `level` is a name such as `info`, `form` TEXT or JSON.

    A later call replaces what an earlier one said. A service that has handlers of its own keeps them, and no other.
    """
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.INFO)
    _handler.setStream(sys.stderr)
    _handler.setFormatter(JsonLine(process) if form == JSON else TextLine(process))
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(_handler)
    if _handler in root.handlers:
        root.setLevel(level.upper())


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"


def _harmless(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_harmless(each) for each in value]
    return value if isinstance(value, int | float | None) else printable(str(value))


def _indented(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
