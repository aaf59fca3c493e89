"""Entries that are short to write."""

import hashlib
from collections.abc import Sequence

from gateway.dialect.outcome import Outcome, Verdict
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import Entry, EventRow, IdempotencyRecord, KeptRequest, QuarantinedItem


def key(name: object) -> bytes:
    """Return a dedupe key, 16 bytes."""
    return str(name).rjust(16).encode()


def body(name: object, project: str = "p") -> bytes:
    """Return a short line of an event."""
    return f'{{"project":"{project}","name":"{name}"}}'.encode()


def row(name: object, project: str = "p") -> EventRow:
    """A row whose client named it."""
    return EventRow(body(name, project), key(name))


def entry(
    *rows: EventRow,
    project: str = "p",
    quarantined: tuple[QuarantinedItem, ...] = (),
    idempotency: IdempotencyRecord | None = None,
) -> Entry:
    """An entry whose rows came before its quarantined items."""
    outcomes = outcomes_of(rows, quarantined)
    return Entry(
        project, "toy", "track", 1_700_000_000_000, rows, quarantined, idempotency=idempotency, outcomes=outcomes
    )


def outcomes_of(rows: Sequence[EventRow], quarantined: Sequence[QuarantinedItem]) -> tuple[Outcome, ...]:
    """The outcomes of an entry with these rows and then these items; none where all are rows."""
    if not quarantined:
        return ()
    held = [Outcome(Verdict(each.verdict), each.message_id) for each in quarantined]
    return (*stored_items(*[""] * len(rows)), *held)


def kept(raw: RawRequest) -> KeptRequest:
    """A request as it is kept with its quarantined items."""
    return KeptRequest(compress(raw), len(raw.body), hashlib.sha256(raw.body).digest())


def claim(name: str, fingerprint: str = "same", outcomes: tuple[Outcome, ...] | None = None) -> IdempotencyRecord:
    """Return what is remembered of a request with an Idempotency-Key."""
    outcomes = stored_items("first") if outcomes is None else outcomes
    return IdempotencyRecord(name.encode(), fingerprint.encode(), outcomes)


def stored_items(*message_ids: str) -> tuple[Outcome, ...]:
    """Return the outcomes of items that are all stored."""
    return tuple(Outcome(Verdict.STORED, message_id) for message_id in message_ids)
