"""Writes the members of a backup, one after the other. Synchronous."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.operate.backup import members
from gateway.operate.backup.values import batch_line, file_lines, key_lines, line_of, receipt_line
from gateway.storage.moving import LogBatch, Row


class BackupWriter:
    """Writes through `write`. `counts` are the rows of each table, and of `events`, `receipts` and `files`."""

    def __init__(self, write: Callable[[bytes], object], head: Mapping[str, Any], seconds: int) -> None:
        self.counts: Counter[str] = Counter()
        self.bytes = 0
        self._write = write
        self._seconds = seconds
        self._members = 0
        self._hash = hashlib.sha256()
        self._member(members.FIRST, _document(head))

    def add_batch(self, batch: LogBatch) -> None:
        """Write a part of the log."""
        self._lines("events", batch.lines)
        self._lines("receipts", map(receipt_line, batch.receipts))
        self._lines("batch", [batch_line(batch)])
        self.counts.update(events=len(batch.lines), receipts=len(batch.receipts))

    def add_rows(self, table: str, rows: Sequence[Row]) -> None:
        """Write some rows of a table."""
        self._lines(table, key_lines(rows) if table == "keys" else map(line_of, rows))
        self.counts[table] += len(rows)

    def add_file(self, project: str, name: str, content: bytes) -> None:
        """Write a file that came with an event."""
        self._lines("files", file_lines(project, name, content))
        self.counts["files"] += 1

    def end(self) -> str:
        """Write what the backup ends with; return its digest."""
        digest = self._hash.hexdigest()
        end = {"counts": self.contents(), "members": self._members, "sha256": digest}
        self._member(members.LAST, _document(end))
        self._put(members.END)
        return digest

    def contents(self) -> dict[str, int]:
        """Return what of everything there is so far, but for what there is none of."""
        return {name: count for name, count in sorted(self.counts.items()) if count}

    def _lines(self, kind: str, lines: Iterable[bytes]) -> None:
        """Write lines as one member, or as several if they are many bytes."""
        waiting: list[bytes] = []
        size = 0
        for line in lines:
            waiting.append(line)
            size += len(line)
            if size >= members.GOAL:
                self._numbered(kind, waiting)
                waiting, size = [], 0
        if waiting:
            self._numbered(kind, waiting)

    def _numbered(self, kind: str, lines: Sequence[bytes]) -> None:
        self._members += 1
        self._member(members.name_of(self._members, kind), members.compressed(lines))

    def _member(self, name: str, content: bytes) -> None:
        self._put(members.header(name, len(content), self._seconds))
        self._put(content + members.padding(len(content)))

    def _put(self, data: bytes) -> None:
        self._hash.update(data)
        self.bytes += len(data)
        self._write(data)


def _document(values: Mapping[str, Any]) -> bytes:
    return orjson.dumps(values, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
