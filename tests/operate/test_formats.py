"""The encoders: what a page of the log becomes, byte for byte or read back by Python's csv and by pyarrow."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operate.formats import parquet
from gateway.operate.formats.columns import COLUMNS
from gateway.operate.formats.csv_table import CsvTable, safe
from gateway.operate.formats.encoder import Encoder, FormatError, FormatOptions
from gateway.operate.formats.formats import FORMATS
from gateway.operate.formats.jsonl import JsonLines
from gateway.operate.formats.parquet import ParquetFile
from gateway.storage.read import Page, Position
from gateway.testing.engine.given.lines import START, line

PLAIN = FormatOptions()
NUMBERED = FormatOptions(position=int)
HEADER = ",".join(COLUMNS)
EVENT = line(1, "shop", "databuddy", START, name="a, b", user_id="u-1", properties={"n": 1.5}, context={"ip": "::1"})
ROW = (
    'shop,databuddy,track,"a, b",m-1,2026-01-01T00:00:00.000Z,,2026-01-02T03:04:05.678Z,,u-1,,,,'
    '"{""n"":1.5}",{},"{""ip"":""::1""}"'
)
LONG = 123456789012345678901234567890


def page(*lines: bytes, positions: Sequence[Position] = ()) -> Page:
    return Page(positions or range(1, len(lines) + 1), b"\n".join(lines), len(lines), False)


def written(encoder: Encoder, *pages: Page) -> bytes:
    return b"".join([encoder.start(), *[block for each in pages for block in encoder.encode(each)], encoder.finish()])


def read_csv(data: bytes) -> list[list[str]]:
    return [*csv.reader(io.StringIO(data.decode(), newline=""), strict=True)]


def read_parquet(data: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(data))


def test_jsonl_is_what_is_stored() -> None:
    odd = b'{"project" : "shop"}'
    assert written(JsonLines(PLAIN), page(EVENT, odd), page(EVENT)) == b"\n".join([EVENT, odd, EVENT, b""])
    expected = b'{"position":7,%b\n{"position":"1-2",%b\n' % (EVENT[1:], EVENT[1:])
    assert written(JsonLines(NUMBERED), page(EVENT, EVENT, positions=[7, "1-2"])) == expected


def test_csv_has_a_header_and_a_row_an_event() -> None:
    assert written(CsvTable(PLAIN), page(EVENT)).decode() == f"{HEADER}\r\n{ROW}\r\n"
    assert written(CsvTable(NUMBERED), page(EVENT, positions=[7])).decode() == f"position,{HEADER}\r\n7,{ROW}\r\n"
    assert written(CsvTable(PLAIN)).decode() == f"{HEADER}\r\n"
    terminal = attrs.evolve(PLAIN, line_end="\n")
    assert written(CsvTable(terminal), page(EVENT)).decode() == f"{HEADER}\n{ROW}\n"


@pytest.mark.parametrize(
    "text", ["x\ry", "x\r\ny", "\ny", 'say "hi"', ",", "a;b", "\x1b[2J", "\x01\x02", "é\U0001f600", "\u2028", " x "]
)
def test_csv_gives_back_texts_that_end_lines_or_cells(text: str) -> None:
    event = line(1, name=text, user_id=f"u{text}")
    [_, row] = read_csv(written(CsvTable(PLAIN), page(event)))
    shown = dict(zip(COLUMNS, row, strict=True))
    assert (shown["name"].removeprefix("'" if text.startswith("\n") else ""), shown["user_id"]) == (text, f"u{text}")


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+SUM(A1)", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tx", "\rx", "=", "-"),
        *(" =1", "  \u00a0=1", "'=1", '"=1', "''\"=1", "\u200b=1", "\ufeff=1", "\x00=1", "\x01+1", "\u3000@x"),
        *("\uff1d1+1", "\uff0b1+a", "\uff0d1+a", "\uff20x", "\u2212x", "-1-1", "+1 1", "'\tx", "-0x1", "+٣"),
    ],
)
def test_what_a_spreadsheet_would_compute_is_made_a_text(text: str) -> None:
    assert safe(text) == "'" + text.replace("\0", "\ufffd")


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "+1",
        "-12.50",
        "+491234567",
        "-1e5",
        "1-1",
        "x=1",
        "a@b.c",
        "{}",
        "[-1]",
        "'hi'",
        "#1",
        "2026-01-02",
        "é=1",
    ],
)
def test_numbers_and_harmless_texts_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


@given(st.text(st.sampled_from("='\"+-@ \t\r\n\u200b\uff1da1{")))
def test_the_mark_can_be_taken_away_again(text: str) -> None:
    cell = safe(text)
    back = cell[1:] if cell.startswith("'") and safe(cell[1:]) != cell[1:] else cell
    assert back == text


def test_a_nul_becomes_the_replacement_character() -> None:
    assert (safe("a\0b"), safe(None), safe("")) == ("a\ufffdb", "", "")


@pytest.mark.parametrize("make", [CsvTable, ParquetFile])
def test_integers_keep_all_their_digits_and_odd_lines_their_values(make: Callable[[FormatOptions], Encoder]) -> None:
    lines = [
        b'{"context": {"b": %d}, "project": "shop", "name": 5, "user_id": "1234567890123456789"}' % LONG,
        b'{"project":"blog","properties":{"half":"\\ud83d"},"name":"\\ud83d","traits":[true,null,1.5]}',
        b'{"project":"last","context":{"b":18446744073709551615},"name":""}',
    ]
    data = written(make(PLAIN), page(*lines))
    found = [*csv.DictReader(io.StringIO(data.decode()))] if make is CsvTable else read_parquet(data).to_pylist()
    assert [{name: value for name, value in row.items() if value} for row in found] == [
        {"project": "shop", "name": "5", "user_id": "1234567890123456789", "context": f'{{"b":{LONG}}}'},
        {"project": "blog", "properties": '{"half":"\ufffd"}', "name": "\ufffd", "traits": "[true,null,1.5]"},
        {"project": "last", "context": '{"b":18446744073709551615}'},
    ]


@pytest.mark.parametrize("make", [CsvTable, ParquetFile])
def test_a_line_that_is_no_event_is_told_by_its_position(make: Callable[[FormatOptions], Encoder]) -> None:
    for damaged in (b'{"project":', b"[1]"):
        with pytest.raises(FormatError, match="^the event at 12-7 cannot be read: "):
            written(make(PLAIN), page(damaged, positions=["12-7"]))


def test_parquet_has_a_type_for_each_column() -> None:
    table = read_parquet(written(ParquetFile(NUMBERED), page(EVENT, positions=[7])))
    time = pa.timestamp("us", tz="UTC")
    types: dict[str, Any] = {"position": pa.int64(), **dict.fromkeys(COLUMNS, pa.string())}
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        **types,
        **dict.fromkeys(("timestamp", "sent_at", "received_at"), time),
    }
    [row] = table.to_pylist()
    assert row == {
        **dict.fromkeys(COLUMNS),
        "position": 7,
        "project": "shop",
        "dialect": "databuddy",
        "type": "track",
        "name": "a, b",
        "message_id": "m-1",
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "received_at": datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
        "user_id": "u-1",
        "properties": '{"n":1.5}',
        "traits": "{}",
        "context": '{"ip":"::1"}',
    }


def test_parquet_has_positions_as_the_log_has_them() -> None:
    texts = FormatOptions(position=str)
    table = read_parquet(written(ParquetFile(texts), page(EVENT, EVENT, positions=["1-1", 5])))
    assert table.column("position").to_pylist() == ["1-1", "5"]
    assert read_parquet(written(ParquetFile(texts))).schema.field("position").type == pa.string()


def test_parquet_reads_every_canonical_time_and_leaves_out_what_is_none() -> None:
    times = ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2024-03-01T00:00:00.000250Z", None]
    lines = [json.dumps({"project": "shop", "timestamp": time}).encode() for time in times]
    read = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        datetime(2024, 3, 1, 0, 0, 0, 250, tzinfo=UTC),
        None,
    ]
    data = written(ParquetFile(PLAIN), page(*lines), page(*lines, b'{"timestamp":"soon"}', b'{"timestamp":17}'))
    assert read_parquet(data).column("timestamp").to_pylist() == [*read, *read, None, None]


def test_parquet_keeps_hostile_texts() -> None:
    names = ["\0", "\x1b[2J", "=1+1", "\u202e", "", "x" * 100_000]
    table = read_parquet(written(ParquetFile(PLAIN), page(*[line(1, name=name) for name in names])))
    assert table.column("name").to_pylist() == names


def test_parquet_holds_a_bounded_part_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 100)
    monkeypatch.setattr(parquet, "GROUP_BYTES", 100_000)
    small, large = page(*[EVENT] * 60), page(line(1, name="x" * 100_000))
    encoder = ParquetFile(PLAIN)
    blocks = [encoder.start()]
    sizes = []
    for each in (small, small, small, large, small):
        blocks += encoder.encode(each)
        sizes.append(len(blocks[-1]))
    data = b"".join([*blocks, encoder.finish()])
    read = pq.ParquetFile(io.BytesIO(data))
    groups = [read.metadata.row_group(index).num_rows for index in range(read.metadata.num_row_groups)]
    assert (groups, [size > 0 for size in sizes]) == ([120, 61, 60], [False, True, False, True, False])
    assert written(ParquetFile(PLAIN))[:4] == b"PAR1"
    assert read_parquet(written(ParquetFile(PLAIN))).num_rows == 0


def test_each_format_names_its_media_type() -> None:
    assert {name: (each.media_type, each.is_binary) for name, each in FORMATS.items()} == {
        "jsonl": ("application/jsonl", False),
        "csv": ("text/csv; charset=utf-8; header=present", False),
        "parquet": ("application/vnd.apache.parquet", True),
    }
