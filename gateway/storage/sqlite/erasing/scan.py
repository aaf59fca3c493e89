"""The search of an erasure: a person's lines in the log, read beside the writer. Synchronous; nothing is written.

Pages are short, so that no snapshot lasts. Bytes go first: a chunk without the id is not even split into lines.
"""

import sqlite3
from collections.abc import Collection, Iterator

import attrs
import orjson

from gateway.records.person import Person
from gateway.storage.sqlite.erasing.apply import DIGEST
from gateway.storage.sqlite.log.compression import restored

PAGE = "SELECT last, CAST(lines AS BLOB), size FROM log WHERE last > ? ORDER BY last LIMIT 64"
PERSON_FIELDS = ("user_id", "anonymous_id", "previous_id")


@attrs.frozen
class FoundLine:
    """A line with the id: of an event that is the person's (`event`), or else what stands in its place (`new`)."""

    position: int
    last: int
    old: bytes
    new: bytes
    event: dict[str, object] | None = None
    has_part: bool = False


def find_lines(connection: sqlite3.Connection, person: Person, until: int) -> Iterator[FoundLine]:
    """Yield the lines up to a position that hold the id. Of other projects none is looked at."""
    begin = b'{"project":%b,' % orjson.dumps(person.project)
    for last, lines in _chunks(connection, 0, until):
        if not person.may_be_in(lines):
            continue
        each = lines.split(b"\n")
        for position, line in enumerate(each, last - len(each) + 1):
            if not person.may_be_in(line):
                continue
            if not line.startswith(begin) and orjson.loads(line).get("project") != person.project:
                continue
            event = orjson.loads(line)
            if person.owns(event):
                yield FoundLine(position, last, line, b"", event)
                continue
            new, has_part = person.without_mentions(line)
            yield FoundLine(position, last, line, new, None, has_part)


def named_files(connection: sqlite3.Connection, names: Collection[str]) -> tuple[set[str], int]:
    """Return which of these files an event names, and up to where the log was read."""
    wanted, found, scanned = set(names), set[str](), 0
    for last, lines in _chunks(connection, 0, None):
        scanned = last
        if b'"sha256"' in lines:
            found |= wanted & {name.decode() for name in DIGEST.findall(lines)}
    return found, scanned


def _chunks(connection: sqlite3.Connection, after: int, until: int | None) -> Iterator[tuple[int, bytes]]:
    """Yield the last position and the lines of each chunk that begins after one position and up to another."""
    while page := connection.execute(PAGE, (after,)).fetchall():
        for last, text, size in page:
            lines = restored(text, size)
            if until is not None and last - lines.count(b"\n") > until:
                return
            yield last, lines
            after = last
