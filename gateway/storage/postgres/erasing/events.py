"""Erases a person's events, each batch with its requests in one transaction, and the mentions in those of others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.storage.erasing.hashes import message_hash
from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.scan import Candidate, Texts, candidates, days
from gateway.storage.postgres.partitions import date_of, day_of_receipt, partition_of
from gateway.storage.postgres.positions import position
from gateway.storage.postgres.write.rewrite import rewrite
from gateway.storage.records import RECEIPT_WITHIN

GATEWAY = -1
"""The number under which an erasure counts: no gateway has it."""
VACUUM, FILE = "vacuum", "file"
"""The kinds of what is left to do: a table to vacuum, and a file that may not belong to any event any more."""
HEX_DIGITS = frozenset("0123456789abcdef")
SHA256 = 64
# Each row by a look of its own into the primary key, whatever the planner thinks that it knows of the day.
LOCK = """
SELECT gone.xid, gone.number FROM unnest($2::bigint[], $3::int[]) AS gone (xid, number)
CROSS JOIN LATERAL (SELECT 1 FROM gateway.events WHERE day = '{date}' AND project = $1 AND events.xid = gone.xid
    AND events.number = gone.number LIMIT 1 FOR UPDATE) AS found
"""
DELETE = "DELETE FROM gateway.events WHERE day = '{date}' AND project = $1 AND xid = $2 AND number = $3"
REMEMBER_POSITIONS = (
    "INSERT INTO gateway.erased_positions (project, xid, number) "
    "SELECT $1, xid, number FROM unnest($2::bigint[], $3::int[]) AS gone (xid, number) ORDER BY 2, 3 "
    "ON CONFLICT DO NOTHING"
)
REMEMBER_MESSAGES = (
    "INSERT INTO gateway.erased_messages (project, hash) SELECT $1, hash FROM unnest($2::bytea[]) AS gone (hash) "
    "ORDER BY 2 ON CONFLICT DO NOTHING"
)
COUNT = (
    "INSERT INTO gateway.counters AS known (project, dialect, verdict, gateway, count) "
    f"SELECT $1, dialect, 'erased', {GATEWAY}, count FROM unnest($2::text[], $3::bigint[]) AS added (dialect, count) "
    "ON CONFLICT (project, dialect, verdict, gateway) DO UPDATE SET count = known.count + excluded.count"
)
TO_DO = (
    "INSERT INTO gateway.erasing (project, kind, name) SELECT $1, $2, name FROM unnest($3::text[]) AS added (name) "
    "ORDER BY 3 ON CONFLICT DO NOTHING"
)
# A receipt is one of those of the time of its event: see read/event_receipts.py.
RECEIPTS = f"""
SELECT DISTINCT found.id FROM unnest($2::bigint[], $3::int[], $4::bigint[]) AS gone (xid, number, at)
CROSS JOIN LATERAL (
    SELECT id FROM gateway.receipts WHERE project = $1 AND id >= at << {RECEIPT_RANDOM_BITS}
        AND id < (at + {RECEIPT_WITHIN}) << {RECEIPT_RANDOM_BITS}
        AND receipts.xid = gone.xid AND first <= number AND first + count > number ORDER BY id LIMIT 1) AS found
"""
KEPT = "SELECT receipt FROM gateway.raws WHERE project = $1 AND receipt = ANY ($2::bigint[]) ORDER BY 1"
DELETE_KEPT = "DELETE FROM gateway.raws WHERE project = $1 AND receipt = ANY ($2::bigint[])"


async def erase_events(session: Session, writing: Session, found: Found, below: int) -> None:
    """Erase the person's events and mentions that transactions below a number wrote.

    `session` reads through an index, whatever that costs; `writing` is planned as usual. Raises one of EXPECTED.
    """
    texts = Texts.of([found.person.id])
    for day in await days(session):
        async for page in candidates(session, found.person.project, day, texts, below=below):
            await _erase(writing, found, day, page)


async def _erase(session: Session, found: Found, day: int, page: Sequence[Candidate]) -> None:
    own: list[tuple[Candidate, Mapping[str, Any]]] = []
    changes: list[tuple[str, bytes, bytes]] = []
    for each in page:
        event = orjson.loads(each.line)
        if found.person.owns(event):
            own.append((each, event))
            found.add_other_ids(event)
            continue
        line, is_left = found.person.without_mentions(each.line)
        found.counts["parts_left"] += is_left
        if line != each.line:
            changes.append((position(*each.place), each.line, line))
    if own:
        async with session.transaction(readonly=found.dry_run) as db:
            await _delete(db, found, day, own)
    if changes and not found.dry_run:
        async with session.transaction() as db:
            await to_do(db, found.person.project, VACUUM, [partition_of("events", day)])
        found.counts["mentions"] += await rewrite(session, changes)
    elif changes:
        found.counts["mentions"] += len(changes)


async def _delete(db: Connection, found: Found, day: int, own: Sequence[tuple[Candidate, Mapping[str, Any]]]) -> None:
    """Delete the person's events, with the requests that they came in."""
    project = found.person.project
    timed = [
        (*each.place, each.received_at) for each, _ in own if each.received_at is not None and each.received_at > 0
    ]
    receipts = [number for (number,) in await db.fetch(RECEIPTS, project, *_columns(timed, 3))]
    found.answered.update(receipts)
    kept = [number for (number,) in await db.fetch(KEPT, project, receipts)]
    found.kept_requests.update(kept)
    if found.dry_run:
        found.counts["events"] += len(own)
        found.messages.update([_message(event) for _, event in own])
        return
    rows = await db.fetch(LOCK.format(date=date_of(day)), project, *_columns([each.place for each, _ in own], 2))
    gone = {(xid, number) for xid, number in rows}
    await db.executemany(DELETE.format(date=date_of(day)), [(project, *place) for place in sorted(gone)])
    events = [event for each, event in own if each.place in gone]
    await db.execute(REMEMBER_POSITIONS, project, *_columns(sorted(gone), 2))
    await remember_messages(db, found, [_message(event) for event in events])
    dialects = Counter([str(each.get("dialect")) for each in events])
    await db.execute(COUNT, project, list(dialects), list(dialects.values()))
    await db.execute(DELETE_KEPT, project, kept)
    await to_do(db, project, FILE, sorted({text for each in events for text in _digests(each)}))
    await to_do(db, project, VACUUM, [partition_of("events", day), *partitions_of("raws", kept)])
    found.counts["events"] += len(gone)


async def remember_messages(db: Connection, found: Found, messages: Sequence[tuple[str, str]]) -> None:
    """Remember `(dialect, message id)` of what is erased, as hashes, so that it does not come back."""
    assert found.secret is not None, "there is one as soon as something is erased"
    project = found.person.project
    hashes = [message_hash(found.secret, project, dialect, message) for dialect, message in messages if message]
    await db.execute(REMEMBER_MESSAGES, project, hashes)


async def to_do(db: Connection, project: str, kind: str, names: Sequence[str]) -> None:
    """Note what is still to be done at the end, if this process does not come to it."""
    await db.execute(TO_DO, project, kind, names)


def partitions_of(table: str, receipts: Iterable[int]) -> list[str]:
    """Return the partitions in which the rows of some receipts are."""
    return sorted({partition_of(table, day_of_receipt(number)) for number in receipts})


def _message(event: Mapping[str, Any]) -> tuple[str, str]:
    return str(event.get("dialect")), str(event.get("message_id"))


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(count)]


def _digests(value: object) -> set[str]:
    """Return the texts in an event that may name a file: the SHA-256 of its content in hex."""
    if isinstance(value, str):
        return {value} if len(value) == SHA256 and HEX_DIGITS.issuperset(value) else set()
    if isinstance(value, dict):
        return {text for each in value.values() for text in _digests(each)}
    if isinstance(value, list):
        return {text for each in value for text in _digests(each)}
    return set()
