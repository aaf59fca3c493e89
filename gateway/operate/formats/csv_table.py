"""CSV for spreadsheets: RFC 4180, in UTF-8, with a header. No cell that a client filled is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from gateway.operate.formats.columns import COLUMNS, POSITION, Cell, rows
from gateway.operate.formats.encoder import FormatOptions
from gateway.storage.read import Page

# A spreadsheet passes over what is before the sign: spaces of any kind, quotes, control and invisible characters.
_FORMULA = re.compile(
    "[\"'`]*+[\\t\\r\\n]|[\\x00-\\x20\"'`\\x7f-\\xa0\\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufffd]*+"
    "[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b]"
)
_NUMBER = re.compile(r"[+-]?+[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+", re.ASCII)


class CsvTable:
    """An event a row: a column for each canonical field, `properties`, `traits` and `context` as JSON. See Encoder.

    null and the empty text are both an empty cell.
    """

    def __init__(self, options: FormatOptions) -> None:
        self._with_position = options.position is not None
        self._line_end = options.line_end

    def start(self) -> bytes:
        """See Encoder."""
        return self._written([[POSITION, *COLUMNS] if self._with_position else COLUMNS])

    def encode(self, page: Page) -> Iterable[bytes]:
        """See Encoder."""
        if self._with_position:
            table = [[str(position), *map(safe, cells)] for position, cells in rows(page)]
        else:
            table = [[*map(safe, cells)] for _, cells in rows(page)]
        return [self._written(table)]

    def finish(self) -> bytes:
        """See Encoder."""
        return b""

    def _written(self, table: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator=self._line_end).writerows(table)
        return text.getvalue().encode()


def safe(cell: Cell) -> str:
    """Return what a cell may hold: `'` before what a spreadsheet could take for a formula, U+FFFD in place of NUL.

    A number stays one: `-12.5`. Taking one `'` away from a cell that begins with it gives the text back, if what
    follows could be a formula.
    """
    if not cell:
        return ""
    if "\0" in cell:  # where many readers of CSV end
        cell = cell.replace("\0", "\ufffd")
    if cell[0].isalnum() or cell[0] == "{" or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
