"""A file that is damaged, cut off or forged is told in one line, wherever that is, and nothing is made of it."""

import gzip
import hashlib
import json
import random
import re
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.operate.backup import members
from gateway.operate.backup.members import BackupError
from gateway.operate.backup.verify import verify
from gateway.storage.engines import open_store
from gateway.storage.moving import TABLES
from gateway.storage.store import StoreSettings
from gateway.store_error import StoreError
from gateway.testing.engine.given.filled import fill
from tests.operate.backup.making import made, new_sqlite, restored

NEWER = "9.9"
HEAD: Mapping[str, Any] = {
    "format": "gateway-backup",
    "version": 1,
    "id": "0" * 32,
    "gateway": NEWER,
    "tables": TABLES,
}
EVENT = b'{"project":"shop","dialect":"toy","type":"track","message_id":"m-1"}'
KEY = "00" * 16
BATCH: Mapping[str, Any] = {"positions": [1], "places": [None], "days": ["2026-01-01"], "keys": [["shop", KEY]]}
RECEIPT = [1 << 40, "shop", "toy", "track", 1, 1, 1, None, None, None]
FILE = ["shop", hashlib.sha256(b"f").hexdigest(), 0, 1, {"base64": "Zg=="}]


WRONG = re.compile(r"is damaged at [\w.*]+: |is no backup, or its beginning is damaged$|.*made by a newer gateway")


def unseen(_events: int, _share: float) -> None:
    pass


def problem(file: Path) -> str:
    """What is told of a backup that must not count as whole."""
    with pytest.raises(BackupError) as caught:
        verify(file, unseen)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{file} ")


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    source = await new_sqlite(tmp_path / "old")
    await fill(open_store(source))
    await made(source, tmp_path / "a.tar")
    return tmp_path / "a.tar"


def test_no_byte_can_change_and_none_be_missing(file: Path) -> None:
    content, chance = file.read_bytes(), random.Random(16)
    with tarfile.open(file) as archive:
        starts = [each.offset for each in archive.getmembers()]
    flips = [
        *[start + at for start in starts for at in (0, 100, 124, 150, 512)],
        *chance.sample(range(len(content)), 80),
    ]
    for at in flips:
        file.write_bytes(content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :])
        assert WRONG.match(problem(file)), at
    cuts = [*[start + at for start in starts for at in (-1, 0, 1, 512)], len(content) - 1, len(content) - 1024]
    for at in [cut for cut in cuts if cut >= 0]:
        file.write_bytes(content[:at])
        assert problem(file).startswith(("is damaged at", "is no backup")), at
    file.write_bytes(content + b"\0")
    assert problem(file) == "is damaged at end.json: something follows it"
    file.write_bytes(content[: starts[3]] + content[starts[4] :])
    assert problem(file).endswith(f"it stands where {members.name_of(3, '*')} is expected")
    file.write_bytes(content)
    verify(file, unseen)


def forged(
    file: Path,
    parts: Sequence[tuple[str, Any]],
    head: Mapping[str, Any] = HEAD,
    counts: Mapping[str, int] | None = None,
) -> Path:
    """Write a backup whose digest is right. A part is a kind and rows, or a name and bytes."""
    data = b""

    def add(name: str, content: bytes) -> None:
        nonlocal data
        data += members.header(name, len(content), 1) + content + members.padding(len(content))

    add(members.FIRST, json.dumps(head).encode())
    for number, (kind, rows) in enumerate(parts, 1):
        if isinstance(rows, bytes):
            add(kind, rows)
        else:
            lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
            add(members.name_of(number, kind), members.compressed(lines))
    end = {"counts": counts or {}, "members": len(parts), "sha256": hashlib.sha256(data).hexdigest()}
    add(members.LAST, json.dumps(end).encode())
    file.write_bytes(data + members.END)
    return file


def test_a_forged_backup_that_holds_what_a_gateway_writes_is_whole(tmp_path: Path) -> None:
    parts = [("events", [EVENT]), ("receipts", [RECEIPT]), ("batch", [BATCH]), ("files", [FILE])]
    counts = {"events": 1, "receipts": 1, "files": 1}
    assert verify(forged(tmp_path / "a.tar", parts, counts=counts), unseen).counts == counts


BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
UNFIT: Mapping[str, Sequence[tuple[str, Any]]] = {
    "an event that is no object": [("events", [b"7"])],
    "an event that is no JSON": [("events", [b"{"])],
    "very deep JSON": [("events", [b"[" * 100_000])],
    "a batch without its events": [("batch", [BATCH])],
    "two batches in one": [("events", [EVENT]), ("batch", [BATCH, BATCH])],
    "events without their batch": [("events", [EVENT])],
    "a batch that is a list": [("events", [EVENT]), ("batch", [[1]])],
    "a position that is none": [("events", [EVENT]), ("batch", [{**BATCH, "positions": ["1"]}])],
    "a position beyond all numbers": [("events", [EVENT]), ("batch", [{**BATCH, "positions": [1 << 70]}])],
    "a place of three": [("events", [EVENT]), ("batch", [{**BATCH, "places": [[1, 2, 3]]}])],
    "a day that is none": [("events", [EVENT]), ("batch", [{**BATCH, "days": ["2026-02-30"]}])],
    "a short key": [("events", [EVENT]), ("batch", [{**BATCH, "keys": [["shop", "00"]]}])],
    "a receipt without columns": [("receipts", [[1]])],
    "a receipt with a text as number": [("receipts", [["1", *RECEIPT[1:]]])],
    "a receipt nowhere": [("receipts", [[*RECEIPT[:6], None, None, None, None]])],
    "keys of another size": [("keys", [["shop", {"base64": "AAAA"}]])],
    "bytes that are no base64": [("secrets", [["salt", {"base64": "?"}]])],
    "a value that is an object": [("secrets", [["salt", {"a": 1}]])],
    "a table that is none": [("sqlite_schema", [["a"]])],
    "a path as kind": [("../../etc/passwd", [["a"]])],
    "a file with a path as name": [("files", [["shop", "../../../tmp/x", 0, 1, {"base64": "Zg=="}]])],
    "a file with another content": [("files", [[*FILE[:4], {"base64": "Zw=="}]])],
    "a file of too many parts": [("files", [[*FILE[:3], 1 << 40, FILE[4]]])],
    "a part of a file that is missing": [("files", [[*FILE[:2], 1, 2, FILE[4]]])],
    "the first part of a file only": [("files", [[*FILE[:3], 2, FILE[4]]])],
    "a member with a path as name": [("../../etc/passwd", b"")],
    "a member that is not compressed": [(members.name_of(1, "events"), EVENT)],
    "something after what is compressed": [(members.name_of(1, "events"), gzip.compress(EVENT + b"\n") + b"x")],
    "compressed bytes that are cut off": [(members.name_of(1, "events"), gzip.compress(EVENT + b"\n")[:-9])],
    "no line": [(members.name_of(1, "events"), gzip.compress(b""))],
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_a_gateway_would_not_write_is_one_line_though_its_digest_is_right(tmp_path: Path, name: str) -> None:
    assert problem(forged(tmp_path / "a.tar", UNFIT[name])).startswith("is damaged at ")


def test_other_counts_than_there_are_rows_are_told(tmp_path: Path) -> None:
    parts = [("events", [EVENT]), ("batch", [BATCH])]
    told = problem(forged(tmp_path / "a.tar", parts, counts={"events": 2}))
    assert told == "is damaged at end.json: it counts other contents than there are"


def test_a_bomb_is_refused_before_it_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MOST", 1 << 20)
    content = gzip.compress(bytes(4 << 20))
    told = problem(forged(tmp_path / "a.tar", [(members.name_of(1, "events"), content)]))
    assert told.endswith("its content is larger than any that a gateway writes")


def test_a_member_that_is_said_to_be_huge_is_not_read(tmp_path: Path) -> None:
    file = forged(tmp_path / "a.tar", [])
    data = file.read_bytes()
    second = data.index(b"end.json")
    for size, what in ((members.MOST + 1, "larger than any"), (members.MOST, "the file is cut off here")):
        file.write_bytes(data[:second] + members.header(members.name_of(1, "events"), size, 1))
        assert what in problem(file)


@pytest.mark.parametrize("unlike", ["a link", "a directory", "a long name"])
def test_a_member_that_is_no_plain_file_is_refused(tmp_path: Path, unlike: str) -> None:
    info = tarfile.TarInfo(members.name_of(1, "events") + ("x" * 200 if unlike == "a long name" else ""))
    info.type = {"a link": tarfile.SYMTYPE, "a directory": tarfile.DIRTYPE}.get(unlike, tarfile.REGTYPE)
    info.linkname = "/etc/passwd" if unlike == "a link" else ""
    file = forged(tmp_path / "a.tar", [])
    data = file.read_bytes()
    file.write_bytes(data[: data.index(b"end.json")] + info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert problem(file) == f"is damaged at {members.name_of(1, '*')}: its header is damaged"


def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    for content in (b"", b"x" * 5000, bytes(2048)):
        file.write_bytes(content)
        assert problem(file) == "is no backup, or its beginning is damaged"
    heads: Sequence[Any] = ({}, [], {"format": "zip"}, {**HEAD, "version": "1"})
    for head in heads:
        assert problem(forged(file, [], head)) == "is no backup, or its beginning is damaged"
    assert problem(forged(file, [], {**HEAD, "tables": 7})).startswith("is damaged at backup.json: ")


def test_a_backup_of_a_newer_gateway_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    newer = "was made by a newer gateway, 9.9; upgrade this one"
    assert problem(forged(file, [], {**HEAD, "version": 2})) == newer
    told = (
        "is damaged, or was made by a newer gateway, 9.9: "
        "it has a table {} that this one does not know; upgrade this one"
    )
    assert problem(forged(file, [], {**HEAD, "tables": {"votes": ["id"]}})) == told.format("votes")
    assert problem(forged(file, [], {**HEAD, "tables": {"keys": ["project", "key", "weight"]}})) == told.format("keys")


def test_a_backup_of_an_older_gateway_may_lack_a_table_and_a_column(tmp_path: Path) -> None:
    tables = {"counters": ["count", "project", "dialect", "verdict"]}
    file = forged(
        tmp_path / "a.tar", [("counters", [[3, "shop", "toy", "stored"]])], {**HEAD, "tables": tables}, {"counters": 1}
    )
    assert verify(file, unseen).counts == {"counters": 1}


ROWS: Mapping[str, Callable[[], Sequence[tuple[str, Any]]]] = {
    "quarantine": lambda: [("quarantine", [[*range(12), [1], 13]])],
    "settled": lambda: [("settled", [["", "x", [], "y", {"base64": ""}]])],
    "counters": lambda: [("counters", [[None, None, None, None]])],
    "facts": lambda: [("facts", [["quarantine_secret", 5]])],
}


@pytest.mark.parametrize("table", ROWS)
async def test_rows_of_other_types_are_one_line_on_either_engine(database: str, tmp_path: Path, table: str) -> None:
    file = forged(tmp_path / "a.tar", ROWS[table](), counts={table: 1})
    verify(file, unseen)
    for target in (f"sqlite:{tmp_path / 'new'}", database):
        with pytest.raises(StoreError) as caught:
            await restored(file, target)
        assert "\n" not in str(caught.value)
        with pytest.raises(StoreError, match="is not finished; run `gateway backup restore` again"):
            async with open_store(target).storage(StoreSettings()):
                pass
