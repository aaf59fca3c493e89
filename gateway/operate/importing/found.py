"""What a file has: one item, or one recorded request, with the line that it stands in. Values only."""

from collections.abc import Mapping

from gateway.dialect.outcome import Fault
from gateway.dialect.value_class import value_class

HEADER = "x-gateway-import"
"""In the kept request of a bad item this header has the file and the line: `orders.jsonl:17`."""
MAX_ITEM = 2 * 1024 * 1024
"""Bytes of one item of a file: as many as a body may have where nothing else is set."""
SHOWN = 2048
"""Bytes of an item that is not read which are kept all the same, for whoever looks for it."""
TOO_LONG = Fault("too_long", detail={"limit": MAX_ITEM})


class ImportProblem(Exception):
    """A file that cannot be read any further, or a map that is wrong; the message is one line that says why."""


@value_class
class Found:
    """One item of a file. `line` is a line of JSON or CSV, or which element of an array it is; both count from 1.

    `text` is the item's JSON, and `source` what it was made of: the same, or the cells of a row. With a `fault` it
    cannot be read. `is_json` says that the text is known to be one JSON value.
    """

    line: int
    text: bytes
    source: bytes
    fault: Fault | None = None
    is_json: bool = False


@value_class
class RecordedRequest:
    """A request that a proxy has recorded. `line` is which entry it is; `started` is when, in milliseconds."""

    line: int
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    started: int | None = None
