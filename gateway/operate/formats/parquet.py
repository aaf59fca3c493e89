"""Parquet, for DuckDB, Spark, pandas and data lakes. The only importer of pyarrow, which is in the extra `archive`."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.dialect.timestamps import from_iso
from gateway.operate.formats.columns import COLUMNS, POSITION, Cell, rows
from gateway.operate.formats.encoder import FormatOptions
from gateway.storage.read import Page, Position

GROUP_ROWS = 65_536
GROUP_BYTES = 32 << 20
"""A row group ends once it has so many events, or so many bytes of lines; so much is held in memory."""

_TIME = pa.timestamp("us", tz="UTC")
_TYPES = {"timestamp": _TIME, "sent_at": _TIME, "received_at": _TIME}
"""Canonical times have milliseconds, or microseconds where the client sent them."""


class ParquetFile:
    """An event a row: times in microseconds, all else text, `properties`, `traits` and `context` as JSON. See Encoder.

    A time that cannot be read is null. `position` is an integer or a text, as the log has it.
    """

    def __init__(self, options: FormatOptions) -> None:
        self._position = options.position
        fields = [(name, _TYPES.get(name, pa.string())) for name in COLUMNS]
        if self._position is not None:
            fields = [(POSITION, pa.int64() if self._position is int else pa.string()), *fields]
        self._schema = pa.schema(fields)
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(pa.PythonFile(self._sink, mode="w"), self._schema, compression="zstd")
        self._batches: list[Any] = []
        self._rows = self._bytes = 0

    def start(self) -> bytes:
        """See Encoder."""
        return self._sink.taken()

    def encode(self, page: Page) -> Iterable[bytes]:
        """See Encoder. Most pages give nothing yet."""
        found = list(rows(page))
        columns: list[Sequence[Any]] = [*zip(*[cells for _, cells in found], strict=True)]
        arrays = [_column(name, cells) for name, cells in zip(COLUMNS, columns, strict=True)]
        if self._position is not None:
            arrays = [self._positions([position for position, _ in found]), *arrays]
        self._batches.append(pa.record_batch(arrays, schema=self._schema))
        self._rows += len(found)
        self._bytes += len(page.text)
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._write_group()
        return [self._sink.taken()]

    def finish(self) -> bytes:
        """See Encoder."""
        self._write_group()
        self._writer.close()
        return self._sink.taken()

    def _write_group(self) -> None:
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches), row_group_size=self._rows)
        self._batches = []
        self._rows = self._bytes = 0

    def _positions(self, positions: Sequence[Position]) -> Any:
        if self._position is int:
            return pa.array(positions, pa.int64())
        return pa.array([str(position) for position in positions], pa.string())


class _Sink:
    """A file that keeps what is written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: Any) -> int:
        data = bytes(block)
        self._blocks.append(data)
        return len(data)

    def taken(self) -> bytes:
        blocks, self._blocks = self._blocks, []
        return b"".join(blocks)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Do nothing: what is written is taken by the caller."""

    def close(self) -> None:
        self.closed = True


def _column(name: str, cells: Sequence[Cell]) -> Any:
    if name not in _TYPES:
        return pa.array(cells, pa.string())
    try:
        return pa.array(cells, pa.string()).cast(_TIME)
    except pa.ArrowInvalid:  # one of them is no time
        return pa.array([None if cell is None else from_iso(cell) for cell in cells], pa.string()).cast(_TIME)
