"""What a power cut leaves of a disk: a journal of all that was written, replayed up to a moment. No gateway here.

Content counts as safe once its file was synced, a name once its folder was. All else is at the mercy of the moment:
`image` drops it, or, given a chance, keeps any part of it, torn at sectors.
"""

import random
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import attrs

HEAD = struct.Struct("<IIIQ")
WRITE, TRUNCATE, SYNC, SYNC_FAILED, CREATE, RENAME, UNLINK, MKDIR, LINK = range(1, 10)
SECTOR = 512


@attrs.frozen
class Record:
    """One thing that was done; `end` is where it ends in the journal."""

    op: int
    path: str
    offset: int
    data: bytes
    end: int


def records(journal: bytes) -> Iterator[Record]:
    """Yield what stands in a journal; a record that is cut off at its end is not one."""
    at = 0
    while at + HEAD.size <= len(journal):
        op, name, size, offset = HEAD.unpack_from(journal, at)
        start = at + HEAD.size
        at = start + name + size
        if at > len(journal):
            return
        yield Record(op, journal[start : start + name].decode(), offset, journal[start + name : at], at)


@attrs.define(eq=False)
class Node:
    """A file's safe bytes and what is not safe yet, or a folder."""

    folder: bool = False
    safe: bytearray = attrs.field(factory=bytearray)
    pending: list[Record] = attrs.field(factory=list)

    def sync(self) -> None:
        """Make all of it safe."""
        for record in self.pending:
            write(self.safe, record)
        self.pending.clear()

    def lose(self, chance: random.Random | None) -> None:
        """Let a failed sync settle each write for good: it is on disk or it is not, and no later sync writes it."""
        for record in self.pending:
            if chance is not None and chance.random() < 0.5:
                write(self.safe, record)
        self.pending.clear()

    def content(self, chance: random.Random | None) -> bytes:
        """Return what is found after the cut."""
        left = bytearray(self.safe)
        for record in self.pending if chance is not None else ():
            assert chance is not None
            drawn = chance.random()
            if drawn < 0.4:
                write(left, record)
            elif drawn < 0.6 and record.op == WRITE:
                tear(left, record, chance)
        return bytes(left)


def write(content: bytearray, record: Record, start: int = 0, size: int | None = None) -> None:
    """Do a write or a truncation to the bytes of a file."""
    if record.op == TRUNCATE:
        content[record.offset :] = bytes(max(0, record.offset - len(content)))
        return
    data = record.data[start:] if size is None else record.data[start : start + size]
    at = record.offset + start
    if at > len(content):
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data


def tear(content: bytearray, record: Record, chance: random.Random) -> None:
    """Do any part of a write, by sectors."""
    for start in range(0, len(record.data), SECTOR):
        if chance.random() < 0.5:
            write(content, record, start, SECTOR)


@attrs.define
class Disk:
    """A folder on a disk, as programs see it and as it would be found. `lying` forgets every sync."""

    root: PurePosixPath
    lying: bool = False
    chance: random.Random | None = None
    seen: dict[PurePosixPath, Node] = attrs.field(factory=dict)
    named: dict[PurePosixPath, Node] = attrs.field(factory=dict)

    def do(self, record: Record) -> None:
        """Take one record in."""
        path = PurePosixPath(record.path)
        if record.op in (CREATE, MKDIR):
            self.seen[path] = Node(folder=record.op == MKDIR)
        elif record.op == UNLINK:
            self.seen.pop(path, None)
        elif record.op == RENAME:
            self.seen[PurePosixPath(record.data.decode())] = self.seen.pop(path)
        elif record.op == LINK:
            self.seen[PurePosixPath(record.data.decode())] = self.seen[path]
        elif record.op in (WRITE, TRUNCATE):
            if path in self.seen:  # else it was unlinked while open
                self.seen[path].pending.append(record)
        elif record.op == SYNC and not self.lying:
            self._sync(path)
        elif record.op == SYNC_FAILED and path in self.seen:
            self.seen[path].lose(self.chance)

    def _sync(self, path: PurePosixPath) -> None:
        node = self.seen.get(path)
        if node is not None and not node.folder:
            node.sync()
        elif node is not None or path == self.root:
            for name in [name for name in self.named if name.parent == path]:
                del self.named[name]
            self.named.update((name, node) for name, node in self.seen.items() if name.parent == path)

    def image(self, target: Path, chance: random.Random | None = None) -> None:
        """Write what is found after a cut at this moment; with a chance also parts of what was not safe."""
        names = dict(self.named)
        if chance is not None:
            for folder in {name.parent for name in self.seen}:
                if chance.random() < 0.5:
                    names = {name: node for name, node in names.items() if name.parent != folder}
                    names.update((name, node) for name, node in self.seen.items() if name.parent == folder)
        target.mkdir(mode=0o700)
        for name in sorted(names):
            place = target / name.relative_to(self.root)
            if place.parent.is_dir():
                if names[name].folder:
                    place.mkdir()
                else:
                    place.write_bytes(names[name].content(chance))
