"""`gateway events export --format csv | parquet`, read back by Python's csv, by pyarrow and by DuckDB."""

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pyarrow.parquet as pq
import pytest

from gateway.operate.formats.columns import COLUMNS
from gateway.storage.engines import open_store
from gateway.storage.read import Position
from gateway.testing.engine.given.lines import START, line
from tests.cli.ends import into, on_a_terminal
from tests.cli.lines import entry, keep
from tests.kit.engines import parsed
from tests.kit.log_reading import events_of
from tests.kit.serving import GATEWAY, run

HOSTILE = "=cmd|' /C calc'!A0"
OBJECTS = ("properties", "traits", "context")
BIG = 123456789012345678901234567890
LINES = [
    line(1, name="Signed Up", user_id="u-1", properties={"plan": "pro", "n": BIG}),
    line(2, name=HOSTILE, anonymous_id="a\r-1", context={"ip": "::1"}),
    line(3, "blog", type="identify", traits={"=": HOSTILE}),
]


@attrs.frozen
class Filled:
    """A store of three events: its URL, and their positions."""

    url: str
    positions: list[Position]


@pytest.fixture(scope="module")
def filled(module_url: str) -> Filled:
    keep(module_url, *[entry([each], json.loads(each)["project"]) for each in LINES])
    return Filled(module_url, [position for position, _ in events_of(open_store(module_url))])


def exported(filled: Filled, output: Path, *options: str) -> None:
    """Export to a file, and check what is said beside it."""
    done = run("events", "export", "--storage", filled.url, "--output", str(output), *options)
    said = f"last position: {filled.positions[-1]}\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", said)


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Read CSV back, the objects' JSON too."""
    with file.open(newline="", encoding="utf-8") as text:
        rows: list[dict[str, Any]] = [*csv.DictReader(text, strict=True)]
    return [{**row, **{name: json.loads(row[name]) for name in OBJECTS}} for row in rows]


def expected(number: int, **changed: object) -> dict[str, object]:
    """The row of an event: its values, an empty text for null."""
    event = json.loads(LINES[number - 1])
    return {**{name: "" if event[name] is None else event[name] for name in COLUMNS}, **changed}


def test_csv_has_the_values_of_all_fields_and_no_formula(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    exported(filled, file, "--format", "csv")
    rows = rows_of(file)
    assert (rows, [*rows[0]]) == ([expected(1), expected(2, name=f"'{HOSTILE}"), expected(3)], [*COLUMNS])
    exported(filled, file, "--format", "csv", "--with-position", "--project", "blog")
    [row] = rows_of(file)
    assert [*row.items()] == [("position", str(filled.positions[2])), *expected(3).items()]


def test_csv_has_its_header_whatever_it_has_beside(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    exported(filled, file, "--format", "csv", "--after", str(filled.positions[-1]))
    assert file.read_text() == ",".join(COLUMNS) + "\n"
    assert file.read_bytes().endswith(b"\r\n")


def test_csv_on_a_terminal_shows_nothing_that_is_obeyed(filled: Filled) -> None:
    code, shown = on_a_terminal(["events", "export", "--storage", filled.url, "--format", "csv", "--project", "blog"])
    lines = shown.splitlines()
    assert (code, len(lines), lines[0], lines[2]) == (0, 3, ",".join(COLUMNS), f"last position: {filled.positions[-1]}")


def test_parquet_is_read_by_pyarrow_and_by_duckdb(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    exported(filled, file, "--format", "parquet", "--with-position")
    rows = [
        {**row, **{name: json.loads(row[name]) for name in OBJECTS}, "received_at": row["received_at"].isoformat()}
        for row in pq.read_table(file).to_pylist()
    ]
    stored = parsed(b"\n".join(LINES))
    assert [{name: value for name, value in row.items() if name not in ("position", "timestamp")} for row in rows] == [
        {**{name: value for name, value in event.items() if name != "timestamp"}, "received_at": AT} for event in stored
    ]
    assert [row["position"] for row in rows] == filled.positions
    with duckdb.connect() as database:
        asked = (
            f"SELECT name, properties->>'plan', epoch_ms(received_at) FROM '{file}' "
            "WHERE timestamp < TIMESTAMPTZ '2026-01-02 00:00:00Z' ORDER BY message_id"
        )
        assert database.execute(asked).fetchall() == [
            ("Signed Up", "pro", START),
            (HOSTILE, None, START),
            (None, None, START),
        ]


AT = "2026-01-02T03:04:05.678000+00:00"


def test_parquet_into_a_pipe_is_the_same_file(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    exported(filled, file, "--format", "parquet")
    piped = tmp_path / "piped.parquet"
    assert into(str(piped), ["events", "export", "--storage", filled.url, "--format", "parquet"])[0] == 0
    assert piped.read_bytes() == file.read_bytes()


def test_parquet_is_not_written_to_a_terminal(filled: Filled) -> None:
    for output in ("-", "/dev/stdout"):
        command = ["events", "export", "--storage", filled.url, "--format", "parquet", "--output", output]
        code, shown = on_a_terminal(command)
        assert (code, shown.splitlines()[-1]) == (2, "Error: parquet is nothing for a terminal: give --output FILE")


def test_a_library_that_is_missing_is_told_in_one_line_that_names_the_extra(tmp_path: Path) -> None:
    keep(tmp_path / "data", entry([LINES[0]]))
    (tmp_path / "without").mkdir()
    missing = "raise ModuleNotFoundError(\"No module named 'pyarrow'\", name='pyarrow')\n"
    (tmp_path / "without" / "pyarrow.py").write_text(missing)
    path = os.pathsep.join([str(tmp_path / "without"), *filter(None, [os.environ.get("PYTHONPATH")])])
    output = tmp_path / "events.parquet"
    command = [*GATEWAY, "events", "export", "--data", str(tmp_path / "data"), "--output", str(output)]
    failed, done = [
        subprocess.run(
            [*command, "--format", form],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        for form in ("parquet", "csv")
    ]
    said = "Error: parquet needs pyarrow, which is not installed: pip install '.[archive]'\n"
    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "", said)
    assert (done.returncode, done.stderr) == (0, "last position: 1\n")
