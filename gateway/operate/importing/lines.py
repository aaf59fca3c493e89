"""JSON lines and CSV: one item a line or a row, numbered by the lines of the file. Pure."""

import csv
from collections.abc import Iterable, Iterator

import orjson

from gateway.dialect.outcome import Fault
from gateway.operate.importing.found import MAX_ITEM, SHOWN, TOO_LONG, Found, ImportProblem
from gateway.operate.importing.mapping import nested

MAX_COLUMNS = 2000
LOOKED_AT = 50
"""Lines in which a JSON value has to be, for a file to have JSON lines."""
NOT_A_ROW = Fault("malformed", detail={"problem": "this is no row of CSV"})


def lines(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield `(number, line, is_whole)`. Of a line of more than MAX_ITEM bytes only the beginning is given."""
    number, rest, is_cut = 1, b"", False
    for block in blocks:
        first, newline, more = block.partition(b"\n")
        if not is_cut:
            rest += first
        if newline:
            yield number, rest[:MAX_ITEM], not is_cut and len(rest) <= MAX_ITEM
            *whole, rest = more.split(b"\n")
            is_cut = False
            for line in whole:
                number += 1
                yield number, line, True
            number += 1
        if len(rest) > MAX_ITEM:
            rest, is_cut = rest[:SHOWN], True
    if rest:
        yield number, rest, not is_cut


def json_lines(blocks: Iterable[bytes]) -> Iterator[Found]:
    """Yield the items of JSON lines; empty lines count, but are no items."""
    for number, line, is_whole in lines(blocks):
        if not is_whole:
            yield Found(number, line[:SHOWN], line, TOO_LONG)
        elif line and (text := line.strip()):
            yield Found(number, text, text, is_json=_is_json(text))


def is_json_lines(head: bytes) -> bool:
    """Return whether a file that begins so has JSON lines: at least one of the first lines is a JSON value."""
    *whole, rest = head.split(b"\n", LOOKED_AT)
    tried = [line for line in (whole or [rest]) if line.strip()]
    return not tried or len(head) == len(rest) or any(_is_json(line) for line in tried)


def rows(blocks: Iterable[bytes], name: str) -> Iterator[Found]:
    """Yield the rows of CSV as objects of texts, by the names in its first row, in which dots nest.

    An empty cell is a field that is not there. Raises ImportProblem on a first row that names nothing, or too much.
    """
    csv.field_size_limit(MAX_ITEM)
    feed = _Feed(lines(blocks))
    names: list[str] | None = None
    while not feed.is_over:
        reader = csv.reader(feed, strict=True)
        try:
            for cells in reader:
                line, source = feed.row()
                if names is None:
                    names = _checked(cells, name)
                elif any(cells):
                    yield _row(line, cells, names, source)
        except (csv.Error, UnicodeDecodeError, _RowTooLongError) as error:
            if names is None:
                raise ImportProblem(f"{name}: its first line has no names of columns: {error}") from None
            line, source = feed.row()
            fault = TOO_LONG if isinstance(error, _RowTooLongError) else NOT_A_ROW
            yield Found(line, source[:SHOWN], source, fault)


class _RowTooLongError(Exception):
    pass


class _Feed:
    """Gives lines to a reader of CSV, and keeps those of the row that it reads: no more than MAX_ITEM bytes."""

    def __init__(self, numbered: Iterator[tuple[int, bytes, bool]]) -> None:
        self._numbered = numbered
        self._kept: list[bytes] = []
        self._size = 0
        self._first = 0
        self.is_over = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        found = next(self._numbered, None)
        if found is None:
            self.is_over = True
            raise StopIteration
        number, line, is_whole = found
        if not self._kept:
            self._first = number
        self._kept.append(line)
        self._size += len(line)
        if not is_whole or self._size > MAX_ITEM:
            raise _RowTooLongError
        return line.decode() + "\n"

    def row(self) -> tuple[int, bytes]:
        """Return where the row begins that was read last, and its bytes."""
        source, self._kept, self._size = b"\n".join(self._kept), [], 0
        return self._first, source.rstrip(b"\r")


def _checked(names: list[str], name: str) -> list[str]:
    if len(names) > MAX_COLUMNS or not any(names):
        raise ImportProblem(f"{name}: its first line must name the columns, at most {MAX_COLUMNS}")
    twice = next((each for each in names if each and names.count(each) > 1), None)
    if twice is not None:
        raise ImportProblem(f"{name}: two of its columns are named {twice!r}")
    return names


def _row(line: int, cells: list[str], names: list[str], source: bytes) -> Found:
    if len(cells) > len(names):
        return Found(line, source[:SHOWN], source, NOT_A_ROW)
    fields = {name: cell for name, cell in zip(names, cells, strict=False) if cell and name}
    return Found(line, orjson.dumps(nested(fields)), source, is_json=True)


def _is_json(text: bytes) -> bool:
    """Return whether a text is one JSON value, so that it may stand beside others; what orjson refuses may be one."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
