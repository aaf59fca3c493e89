"""Takes a person's ids out of receipts, and out of the answers that are kept for Idempotency-Keys.

A receipt without a list of items needs nothing: its items are found by their events, or by where these were.
"""

import json
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gateway.records.person import Person
from gateway.storage.erasing.hashes import message_hash
from gateway.storage.outcomes_json import LEVEL, decode_outcomes, only_verdicts
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.erasing.events import VACUUM, partitions_of, to_do
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.pages import Table, pages

RECEIPTS = Table("receipts", "id", "id, dialect, items", 500, "items IS NOT NULL")
UPDATE_RECEIPTS = (
    "UPDATE gateway.receipts SET items = changed.items FROM unnest($2::bigint[], $3::bytea[]) AS changed (id, items) "
    "WHERE receipts.project = $1 AND receipts.id = changed.id"
)
CLAIMS_PAGE = 500
CLAIMS = (
    "SELECT digest, generation, outcomes, receipt FROM gateway.claims WHERE project = $1 AND (digest, generation) > "
    f"($2, $3) AND outcomes IS NOT NULL ORDER BY digest, generation LIMIT {CLAIMS_PAGE}"
)
UPDATE_CLAIMS = (
    "UPDATE gateway.claims SET outcomes = changed.outcomes FROM unnest($2::bytea[], $3::bytea[]) "
    "AS changed (digest, outcomes) WHERE claims.project = $1 AND claims.digest = changed.digest"
)
NAMING = ("message_id", "faults")
"""What of an item in a receipt may name a person."""
ERASED_ITEMS = "SELECT id FROM gateway.settled WHERE project = $1 AND id = ANY ($2::bigint[]) AND verdict = 'erased'"
ERASED = "SELECT hash FROM gateway.erased_messages WHERE project = $1 AND hash = ANY ($2::bytea[])"


async def erase_in_receipts(session: Session, found: Found) -> None:
    """Erase the ids of the person's items, and what names the person, in receipts. Raises one of EXPECTED."""
    project = found.person.project
    async for page in pages(session, RECEIPTS, project):
        listed = {number: (dialect, _decoded(items)) for number, dialect, items in page}
        items = [(dialect, item) for dialect, all_of in listed.values() for item in _with_ids(all_of)]
        own = await _erased(session, found, [(dialect, item["message_id"]) for dialect, item in items])
        held = await _erased_items(session, found, [item["quarantine"] for _, item in items if "quarantine" in item])
        changed: dict[int, bytes] = {}
        for number, _, stored in page:
            dialect, all_of = listed[number]
            if _strip(found.person, all_of, {message for of, message in own if of == dialect}, held):
                text = json.dumps(all_of, separators=(",", ":")).encode()
                changed[number] = text if stored.startswith(b"[") else zlib.compress(text, LEVEL)
        found.receipts.update(changed)
        if changed and not found.dry_run:
            async with session.transaction() as db:
                await db.execute(UPDATE_RECEIPTS, project, list(changed), list(changed.values()))
                await to_do(db, project, VACUUM, partitions_of("receipts", changed))


async def erase_in_claims(session: Session, found: Found) -> None:
    """Leave only the verdicts of the answers that name the person or an erased message. Raises one of EXPECTED."""
    project = found.person.project
    after: tuple[bytes, int] = (b"", -1)
    while True:
        async with session.transaction(readonly=True) as db:
            page = await db.fetch(CLAIMS, project, *after)
        if not page:
            return
        after = (page[-1]["digest"], page[-1]["generation"])
        changed: dict[bytes, bytes] = {}
        for digest, _, outcomes, receipt in page:
            text = outcomes if outcomes.startswith(b"[") else zlib.decompress(outcomes)
            if found.person.found_in(text) or (receipt in found.answered and text.startswith(b"[")):
                changed[digest] = only_verdicts(decode_outcomes(outcomes))
        if changed and not found.dry_run:
            async with session.transaction() as db:
                await db.execute(UPDATE_CLAIMS, project, list(changed), list(changed.values()))
                await to_do(db, project, VACUUM, ["claims"])


async def _erased(session: Session, found: Found, messages: Iterable[tuple[str, str]]) -> Collection[tuple[str, str]]:
    """Return those of `(dialect, message id)` that were erased, now or before, or would be."""
    asked = set(messages)
    if found.secret is None or not asked:
        return asked & found.messages
    project = found.person.project
    by_hash = {message_hash(found.secret, project, *each): each for each in asked}
    async with session.transaction(readonly=True) as db:
        rows = await db.fetch(ERASED, project, list(by_hash))
    return (asked & found.messages).union([by_hash[hashed] for (hashed,) in rows])


async def _erased_items(session: Session, found: Found, numbers: Collection[int]) -> set[int]:
    """Return those of some quarantined items that were erased, now or before, or would be."""
    if not numbers:
        return set()
    async with session.transaction(readonly=True) as db:
        rows = await db.fetch(ERASED_ITEMS, found.person.project, numbers)
    return found.held.union([number for (number,) in rows])


def _decoded(stored: bytes) -> Any:
    return json.loads(stored if stored.startswith(b"[") else zlib.decompress(stored))


def _with_ids(items: Any) -> list[dict[str, Any]]:
    """Return the items of a receipt that have an id; of very many items none has."""
    return [item for item in items if item.get("message_id")] if isinstance(items, list) else []


def _strip(person: Person, items: Any, erased: Collection[str], held: Collection[int]) -> bool:
    """Take out of a receipt what names the person; return whether there was anything."""
    if isinstance(items, Mapping):
        own = [index for index, faults in items["faults"].items() if person.found_in(json.dumps(faults).encode())]
        for index in own:
            del items["faults"][index]
        return bool(own)
    touched = [
        item
        for item in items
        if item.keys() & set(NAMING)
        and (
            item.get("message_id") in erased
            or item.get("quarantine") in held
            or person.found_in(json.dumps([item.get(name) for name in NAMING]).encode())
        )
    ]
    for item in touched:
        for name in NAMING:
            item.pop(name, None)
    return bool(touched)
