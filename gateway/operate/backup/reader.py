"""Reads a backup from its first byte to its last, and checks all of it on the way. Synchronous.

What it reads may be damaged, cut off or written by somebody else: every size is bounded, no name is used as a path, and
whatever is wrong is one BackupError.
"""

import contextlib
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import attrs
import orjson

from gateway.operate.backup import members
from gateway.operate.backup.head import columns_of, head_of, no_backup
from gateway.operate.backup.members import BackupError
from gateway.operate.backup.values import FILE_COLUMNS, PART, batch_of, keys_of, receipt_of, row_of
from gateway.storage.moving import TABLES, LogBatch, MovedReceipt, Row

MOST_EVENTS = 512 << 20
"""Bytes of events in one batch; a gateway writes about 8 MB, or all events of one transaction."""
MOST_FILE = 1 << 30
DIGEST = re.compile(r"[0-9a-f]{64}")


@attrs.frozen(kw_only=True)
class TableRows:
    """Some rows of a table, with the columns that TABLES has today: None where the backup has no such column."""

    table: str
    rows: list[Row]


@attrs.frozen(kw_only=True)
class File:
    """A file that came with an event."""

    project: str
    name: str
    content: bytes = attrs.field(repr=False)


Piece = LogBatch | TableRows | File


class BackupReader:
    """An open backup. `head` is what backup.json says; `counts` and `number` (of the last member) are those so far."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size = os.fstat(file.fileno()).st_size
        self.counts: Counter[str] = Counter()
        self.number = 0
        self.read = 0
        self._file = file
        self._hash = hashlib.sha256()
        self._lines: list[bytes] = []
        self._receipts: list[MovedReceipt] = []
        self._parts: list[bytes] = []
        self._name = members.FIRST
        self._content = b""
        self._end: tuple[Any, str] = ({}, "")
        with self._one_line():
            self.head = self._head()
            self._columns = columns_of(path, self.head)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> "Iterator[BackupReader]":
        """Open a backup and read what it says of itself. Raises BackupError and OSError."""
        with path.open("rb") as file:
            yield cls(path, file)

    @property
    def end_digest(self) -> str:
        """The digest that the backup ends with, once it was read."""
        return self._end[1]

    @property
    def digest(self) -> str:
        """The SHA-256 of all that was read so far."""
        return self._hash.hexdigest()

    def pieces(self) -> Iterator[Piece]:
        """Yield all that the backup has; once this ends it is whole. Raises BackupError and OSError."""
        with self._one_line():
            while (kind := self._next()) is not None:
                lines = members.decompressed(self._content)
                found = self._piece(kind, lines)
                if found is not None:
                    yield found
            self._check_end()

    def _piece(self, kind: str, lines: list[bytes]) -> Piece | None:
        if kind == "events":
            for line in lines:
                if not isinstance(orjson.loads(line), dict):
                    raise ValueError("a line is not an event")
            self._lines += lines
            if sum(map(len, self._lines)) > MOST_EVENTS:
                raise ValueError("a batch has more events than a gateway writes")
            return None
        if kind == "receipts":
            self._receipts += map(receipt_of, lines)
            return None
        if kind == "batch":
            return self._batch(lines)
        if kind == "files":
            return self._file_of(lines)
        return self._rows(kind, lines)

    def _batch(self, lines: list[bytes]) -> LogBatch:
        if len(lines) != 1:
            raise ValueError("it ends more than one batch")
        batch = batch_of(lines[0], self._lines, self._receipts)
        self.counts.update(events=len(self._lines), receipts=len(self._receipts))
        self._lines, self._receipts = [], []
        return batch

    def _file_of(self, lines: list[bytes]) -> File | None:
        found = None
        for line in lines:
            project, name, part, parts, content = row_of(line, len(FILE_COLUMNS))
            if not isinstance(project, str) or not isinstance(name, str) or not DIGEST.fullmatch(name):
                raise ValueError("a file has another name than a gateway gives")
            if found is not None or not isinstance(content, bytes) or part != len(self._parts):
                raise ValueError("a part of a file is missing")
            if not isinstance(parts, int) or parts * PART > MOST_FILE or len(content) > PART:
                raise ValueError("a file is larger than a gateway keeps")
            self._parts.append(content)
            if part == parts - 1:
                whole = b"".join(self._parts)
                if hashlib.sha256(whole).hexdigest() != name:
                    raise ValueError("a file has another content than its name says")
                found, self._parts = File(project=project, name=name, content=whole), []
        self.counts["files"] += found is not None
        return found

    def _rows(self, table: str, lines: list[bytes]) -> TableRows:
        there = self._columns.get(table)
        if there is None:
            raise ValueError("the backup does not say what it is")
        if table == "keys":
            rows = [row for line in lines for row in keys_of(line)]
        else:
            rows = [row_of(line, len(there)) for line in lines]
            if there != TABLES[table]:
                at = [there.index(name) if name in there else None for name in TABLES[table]]
                rows = [tuple([None if each is None else row[each] for each in at]) for row in rows]
        self.counts[table] += len(rows)
        return TableRows(table=table, rows=rows)

    def _next(self) -> str | None:
        """Read the next numbered member; return its kind, or None if it is the last member that was read."""
        digest = self.digest
        self._name = members.name_of(self.number + 1, "*")
        name, self._content = self._member()
        self._name = name
        if name == members.LAST:
            self._end = orjson.loads(self._content), digest
            return None
        self.number += 1
        kind = members.kind_of(self.number, name)
        if kind is None:
            raise ValueError(f"it stands where {members.name_of(self.number, '*')} is expected")
        return kind

    def _check_end(self) -> None:
        end, digest = self._end
        if self._lines or self._receipts or self._parts:
            raise ValueError("it comes before the end of what began")
        if end["sha256"] != digest:
            raise ValueError(f"the digest of what is before it is {digest}, not {end['sha256']}")
        if end["members"] != self.number or end["counts"] != {name: n for name, n in self.counts.items() if n}:
            raise ValueError("it counts other contents than there are")
        if self._bytes(len(members.END)) != members.END or self._file.read(1):
            raise ValueError("something follows it")

    def _member(self) -> tuple[str, bytes]:
        name, size = members.parsed(self._bytes(members.BLOCK))
        content = self._bytes(size)
        if self._bytes(len(members.padding(size))) != members.padding(size):
            raise ValueError("something follows its content")
        return name, content

    def _bytes(self, size: int) -> bytes:
        if self.read + size > self.size:
            raise ValueError("the file is cut off here")
        data = self._file.read(size)
        self.read += len(data)
        self._hash.update(data)
        if len(data) < size:
            raise ValueError("the file is cut off here")
        return data

    def _head(self) -> Mapping[str, Any]:
        try:
            name, content = self._member()
        except ValueError:
            raise no_backup(self.path) from None
        return head_of(self.path, name, content)

    @contextlib.contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            what = str(error) if type(error) is ValueError else "it holds what a gateway would not have written"
            raise BackupError(f"{self.path} is damaged at {self._name}: {what}") from error
