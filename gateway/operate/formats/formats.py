"""The formats by their names."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec

import attrs

from gateway.operate.formats.csv_table import CsvTable
from gateway.operate.formats.encoder import Encoder, FormatError, FormatOptions
from gateway.operate.formats.jsonl import JsonLines


@attrs.frozen
class Format:
    """A format: how its encoder is made, its media type, whether it is none that a person reads, what it needs.

    `make` raises FormatError, in one line, where a library is missing. `needs` names that module.
    """

    make: Callable[[FormatOptions], Encoder]
    media_type: str
    is_binary: bool = False
    needs: str | None = None


def _parquet(options: FormatOptions) -> Encoder:
    try:
        from gateway.operate.formats.parquet import ParquetFile
    except ModuleNotFoundError as error:
        problem = f"parquet needs {error.name}, which is not installed: pip install '.[archive]'"
        raise FormatError(problem) from None
    return ParquetFile(options)


FORMATS: Mapping[str, Format] = {
    "jsonl": Format(JsonLines, "application/jsonl"),
    "csv": Format(CsvTable, "text/csv; charset=utf-8; header=present"),
    "parquet": Format(_parquet, "application/vnd.apache.parquet", is_binary=True, needs="pyarrow"),
}
"""Each with its name, which is also the ending of a file's name."""


def usable() -> list[str]:
    """Return the names of the formats whose libraries are installed. It imports none of them."""
    return [name for name, each in FORMATS.items() if each.needs is None or find_spec(each.needs) is not None]
