"""What files have: JSON lines, arrays and CSV, gzip or not, each item with its line, whatever else is in them."""

import gzip
import io
import json
import os
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.operate.importing import json_stream, lines, source
from gateway.operate.importing.files import items_of
from gateway.operate.importing.found import MAX_ITEM, Found, ImportProblem


def in_pieces(text: bytes, seed: int) -> Iterator[bytes]:
    chance, at = random.Random(seed), 0
    while at < len(text):
        size = chance.randint(1, 9)
        yield text[at : at + size]
        at += size


def found_in(folder: Path, content: bytes) -> list[tuple[int, object]]:
    """The items of a file, each with its line; in the place of one that cannot be read the code of its fault."""
    file = folder / "export"
    file.write_bytes(content)
    with source.opened(file) as read:
        return [_shown(each) for each in items_of(read)]


def _shown(found: Found) -> tuple[int, object]:
    return found.line, json.loads(found.text) if found.fault is None else found.fault.code


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "items"),
    [
        (b'{"a":1}\n\n{"b":[2]}', [(1, {"a": 1}), (3, {"b": [2]})]),
        (b'\xef\xbb\xbf{"a":1}\r\n  {"b":2}\r\n', [(1, {"a": 1}), (2, {"b": 2})]),
        (b' [ {"a":"]"} ,\n{"b":1.5}]', [(1, {"a": "]"}), (2, {"b": 1.5})]),
        (b"[]", []),
        (b"", []),
        (
            b'name,user.id,note\nx,7,"a ""b""\nc"\n,,\ny,,\n',
            [(2, {"name": "x", "user": {"id": "7"}, "note": 'a "b"\nc'}), (5, {"name": "y"})],
        ),
        (b"name\nx\ny,too many\nz\n", [(2, {"name": "x"}), (3, "malformed"), (4, {"name": "z"})]),
        (b'name\n"open\nx', [(2, "malformed")]),
        (b"name\n\xff\nz\n", [(2, "malformed"), (3, {"name": "z"})]),
    ],
)
def test_a_file_is_what_it_begins_with(tmp_path: Path, content: bytes, items: list[object], packed: bool) -> None:
    assert found_in(tmp_path, gzip.compress(content) if packed else content) == items


def test_several_gzip_files_in_one_are_read_on(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n')
    assert found_in(tmp_path, packed) == [(1, {"a": 1}), (2, {"a": 2})]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (gzip.compress(os.urandom(2000))[:1000], "export: its gzip is damaged: "),
        (
            b'{\n  "events": [\n    {"a":1},',
            "export: its lines are no JSON; write an item in each line, or all as one array",
        ),
        (b"PK\x03\x04\0\0", "export: this is neither JSON nor CSV, nor one of these as gzip"),
        (b"a,a\n1,2\n", "export: two of its columns are named 'a'"),
        (b",\n1,2\n", "export: its first line must name the columns, at most 2000"),
        (b'[{"a":1} {"b":2}]', "export: behind element 1 is neither a comma nor the end of the array"),
        (b'[{"a":1},{"b":', "export: element 2: not JSON: "),
        (b"[" * 200_000, "export: element 1: "),
    ],
)
def test_a_file_that_cannot_be_read_on_is_told_in_one_line(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(ImportProblem) as raised:
        found_in(tmp_path, content)
    assert str(raised.value).startswith(problem)
    assert "\n" not in str(raised.value)


def test_wherever_a_block_ends_the_items_are_the_same() -> None:
    items = [{"n": n, "text": 'ä\\"]}\n' * (n % 4), "deep": [{"e": 1e5}, None, -n]} for n in range(40)]
    array, many = (
        json.dumps(items, ensure_ascii=False).encode(),
        b"\n".join(json.dumps(each).encode() for each in items),
    )
    for seed in range(5):
        assert [json.loads(each.text) for each in json_stream.array(in_pieces(array, seed), "x")] == items
        assert [json.loads(each.text) for each in lines.json_lines(in_pieces(many, seed))] == items


def test_a_number_that_a_block_cuts_is_one_number() -> None:
    assert [each.text for each in json_stream.array(iter([b"[1", b"2", b"3,4", b"]"]), "x")] == [b"123", b"4"]


def test_a_line_that_is_too_long_is_one_bad_item_and_the_next_one_is_read() -> None:
    content = [b'{"a":"', *[b"x" * 100_000] * 30, b'"}\n{"b":1}\n', b"y" * (MAX_ITEM + 1), b"\n{}"]
    found = [(each.line, len(each.text), each.fault and each.fault.code) for each in lines.json_lines(iter(content))]
    assert found == [(1, 2048, "too_long"), (2, 7, None), (3, 2048, "too_long"), (4, 2, None)]


def test_a_quote_that_is_never_closed_holds_no_more_than_an_item() -> None:
    blocks = iter([b'name\n"', *[b"x" * 99_999 + b"\n"] * 50, b"last\n"])
    *bad, last = lines.rows(blocks, "x")
    assert {each.fault.code for each in bad if each.fault} <= {"too_long", "malformed"}
    assert (last.line, json.loads(last.text)) == (52, {"name": "last"})


@pytest.mark.parametrize("form", ["lines", "array", "csv"])
def test_a_file_of_any_size_takes_no_more_memory(form: str, tmp_path: Path) -> None:
    item = b'{"event":"paid","pad":"' + b"x" * 4000 + b'"}'
    begin, between, end = {"lines": (b"", b"\n", b""), "array": (b"[", b",", b"]"), "csv": (b"pad\n", b"\n", b"")}[form]
    many = between.join([item.split(b'"')[-2] if form == "csv" else item] * 2000)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(begin + many + end)
    (tmp_path / "export").write_bytes(packed.getvalue())
    tracemalloc.start()
    try:
        with source.opened(tmp_path / "export") as read:
            assert sum(1 for _ in items_of(read)) == 2000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
