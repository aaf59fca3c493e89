"""JSON lines: the very bytes that are stored. Nothing is parsed."""

from collections.abc import Iterable

import orjson

from gateway.operate.formats.encoder import FormatOptions
from gateway.storage.read import Page


class JsonLines:
    """An event a line, with its position as first member if asked: `{"position":7,"project":...`. See Encoder."""

    def __init__(self, options: FormatOptions) -> None:
        self._with_position = options.position is not None

    def start(self) -> bytes:
        """See Encoder."""
        return b""

    def encode(self, page: Page) -> Iterable[bytes]:
        """See Encoder."""
        if not self._with_position:
            return page.text, b"\n"
        return [b'{"position":%b,%b\n' % (orjson.dumps(position), line[1:]) for position, line in page.events]

    def finish(self) -> bytes:
        """See Encoder."""
        return b""
