"""The writer's part of an erasure: one step, inside one transaction. Synchronous, on the writer's thread."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence

import orjson

from gateway.storage.erasing.step import ErasureStep, HeldChange, StepResult
from gateway.storage.quarantined_items import decode_items
from gateway.storage.sqlite.blobs import Blobs
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.log.compression import restored
from gateway.storage.sqlite.log.rewriting import rewrite_lines

BEGIN = (
    "INSERT INTO erasures VALUES (?, ?, ?, ?) ON CONFLICT (project, kind, hash) DO UPDATE SET at = max(at, excluded.at)"
)
MESSAGE = "INSERT OR IGNORE INTO erased_messages VALUES (?, ?)"
COUNT = (
    "INSERT INTO counters VALUES (?, ?, 'erased', ?) "
    "ON CONFLICT (project, dialect, verdict) DO UPDATE SET count = count + excluded.count"
)
PENDING = "SELECT value FROM meta WHERE name = 'erased_blobs'"
SET_PENDING = "INSERT OR REPLACE INTO meta VALUES ('erased_blobs', ?)"
HELD = "SELECT project, size, items, keys, request FROM quarantined_requests WHERE id = ?"
CHANGE_HELD = (
    "UPDATE quarantined_requests SET remaining = remaining - ?, size = ?, items = ?, keys = ?, request = NULL "
    "WHERE id = ?"
)
SHRINK = "UPDATE quarantine_sizes SET bytes = bytes + ? WHERE project = ?"
LATER = "SELECT CAST(lines AS BLOB), size FROM log WHERE last > ?"
DIGEST = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')
KEY_HASH = 8


def pending_blobs(connection: sqlite3.Connection) -> list[str]:
    """Return the files of events that were erased, of which it is not known yet whether other events have them."""
    row = connection.execute(PENDING).fetchone()
    return [] if row is None else list(json.loads(row[0]))


def apply(connection: sqlite3.Connection, step: ErasureStep, blobs: Blobs, *, compress: bool) -> tuple[StepResult, int]:
    """Do what a step says of rows; return what was done, and by how many bytes the quarantine of the project grew.

    What is deleted is overwritten at once, whole pages too.
    """
    with sqlite_file.overwriting(connection), sqlite_file.transaction(connection):
        return _apply(connection, step, blobs, compress=compress)


def _apply(
    connection: sqlite3.Connection, step: ErasureStep, blobs: Blobs, *, compress: bool
) -> tuple[StepResult, int]:
    if step.person is not None:
        connection.execute(BEGIN, (step.project, *step.person))
    messages = [*step.messages, *[each for change in step.held for each in change.messages]]
    connection.executemany(MESSAGE, [(each, step.project) for each in messages])
    changes = {position: (old, new) for position, old, new in step.lines}
    changed = rewrite_lines(connection, changes, compress=compress)
    removed = [changes[position][0] for position in changed if not changes[position][1]]
    _count(connection, step.project, removed)
    _add_pending(connection, [name.decode() for line in removed for name in DIGEST.findall(line)])
    receipts = [
        connection.execute("UPDATE receipts SET outcomes = ? WHERE id = ?", (outcomes, number)).rowcount
        for number, outcomes in step.receipts
    ]
    raws = [connection.execute("DELETE FROM raws WHERE receipt = ?", (each,)).rowcount for each in step.raws]
    for digest, outcomes in step.claims:
        for table in ("claims_current", "claims_previous"):
            connection.execute(f"UPDATE {table} SET memory = ? WHERE digest = ?", (outcomes, digest))  # noqa: S608
    held, growth = 0, 0
    for change in step.held:
        grown = _change_held(connection, change, step.at)
        held, growth = held + (len(change.gone) if grown is not None else 0), growth + (grown or 0)
    if growth:
        connection.execute(SHRINK, (growth, step.project))
    result = StepResult(
        events=len(removed),
        mentions=len(changed) - len(removed),
        receipts=sum(receipts),
        raws=sum(raws),
        held=held,
        blobs=_remove_blobs(connection, step, blobs),
    )
    return result, growth


def _count(connection: sqlite3.Connection, project: str, removed: Sequence[bytes]) -> None:
    dialects = Counter(str(orjson.loads(line).get("dialect", "")) for line in removed)
    connection.executemany(COUNT, [(project, dialect, count) for dialect, count in dialects.items()])


def _add_pending(connection: sqlite3.Connection, names: Sequence[str]) -> None:
    if names:
        known = dict.fromkeys([*pending_blobs(connection), *names])
        connection.execute(SET_PENDING, (json.dumps(list(known)),))


def _remove_blobs(connection: sqlite3.Connection, step: ErasureStep, blobs: Blobs) -> int:
    """Remove files that no event names: none is added meanwhile, because this is the thread that adds them."""
    if not step.done:
        return 0
    named: set[bytes] = set()
    for text, size in connection.execute(LATER, (step.scanned,)).fetchall() if step.blobs else ():
        named.update(DIGEST.findall(restored(text, size)))
    removed = [blobs.remove(name) for name in step.blobs if name.encode() not in named]
    left = [name for name in pending_blobs(connection) if name not in step.done]
    connection.execute(SET_PENDING, (json.dumps(left),))
    return sum(removed)


def _change_held(connection: sqlite3.Connection, change: HeldChange, at: int) -> int | None:
    """Change a row of the quarantine; return by how much it grew, None if it was changed before, or is gone."""
    row = connection.execute(HELD, (change.first,)).fetchone()
    ended = [connection.execute("SELECT 1 FROM settled WHERE id = ?", (each,)).fetchone() for each in change.gone]
    if row is None or any(ended):
        return None
    _, size, items, keys, request = row
    numbers = _numbers(items, change.first)
    if keys is not None:
        gone = set(change.gone)
        hashes = [keys[at : at + KEY_HASH] for at in range(0, len(keys), KEY_HASH)]
        kept = {number for number, _ in _numbers(change.items, change.first)} if change.items else set()
        keys = b"".join([each for (number, _), each in zip(numbers, hashes, strict=False) if number in kept - gone])
    grown = len(change.items) - len(items) - len(request or b"")
    connection.executemany(
        "INSERT INTO settled VALUES (?, 'erased', NULL, ?)", [(number, at) for number in change.gone]
    )
    connection.execute(CHANGE_HELD, (len(change.gone), max(0, size + grown), change.items, keys, change.first))
    gone_row = connection.execute(
        "DELETE FROM quarantined_requests WHERE id = ? AND remaining <= 0", (change.first,)
    ).rowcount
    return -size if gone_row else grown


def _numbers(items: bytes, first: int) -> list[tuple[int, str]]:
    return [(item.number, item.verdict) for item in decode_items(items, first)]
