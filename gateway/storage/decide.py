"""Decides what is new in a group of entries: a pure function, without I/O, clock or randomness of its own."""

from collections.abc import Callable, Sequence

import attrs
import orjson

from gateway.dialect.outcome import Outcome, Verdict
from gateway.storage import buckets
from gateway.storage.contract import Appended, AppendStatus, Entry, IdempotencyRecord, QuarantinedItem
from gateway.storage.outcomes_json import Placed, decode_outcomes, encode_outcomes, encode_receipt
from gateway.storage.plan import Claim, Plan, QuarantinedRequest, Snapshot
from gateway.storage.quarantined_items import encode_items, encode_remains

NEW = AppendStatus.NEW  # to look up a member of an enum costs as much as a step of the path
OVERHEAD = 300  # bytes on disk that a request with quarantined items takes beside its contents
KEY_OVERHEAD = 30  # the same for each key that is kept of its items
ROOM_PER_ITEM = 24
"""Bytes for which the id of an item is stored again in a receipt and beside an idempotency key, if it compresses so."""


def decide(entries: Sequence[Entry], snapshot: Snapshot, random_bits: Callable[[], int]) -> Plan:
    """Return the plan of a group. `random_bits` gives RECEIPT_RANDOM_BITS random bits.

    The first occurrence of a key is new, also within the group. Raises UnicodeDecodeError on text that is not UTF-8,
    ValueError on an entry whose outcomes do not fit its rows.
    """
    plan = Plan(snapshot, random_bits)
    for entry in entries:
        if entry.trial:
            plan.answers.append(_trial(plan, entry))
        else:
            plan.answers.append(_append(plan, entry) if entry.resolves is None else _resolve(plan, entry))
    return plan


def _append(plan: Plan, entry: Entry) -> Appended:
    record = entry.idempotency
    if record is not None:
        first = plan.snapshot.claims.get(record.digest) or plan.claims.get(record.digest)
        if first is not None:
            return _repeat(plan, entry, record, first)
    start = plan.position + 1
    receipt = plan.next_receipt(entry.received_at)
    positions = _store(plan, entry)
    may_keep = not plan.snapshot.held_back.touches(entry)
    numbers = _quarantine(plan, entry, receipt, may_keep=may_keep) if entry.quarantined else ()
    if entry.raw_compressed and may_keep:
        plan.raws += (receipt, entry.raw_compressed)
    stored = plan.position - start + 1
    answer, items = Appended(NEW, (), (), receipt), None
    if entry.outcomes or entry.quarantined or stored != len(entry.rows):
        placed = _placed(entry, positions, numbers)
        duplicates = [index for index, (outcome, _) in enumerate(placed) if outcome.verdict is Verdict.DUPLICATE]
        answer = Appended(NEW, tuple(duplicates), receipt=receipt)
        items = encode_receipt(placed, _room(entry, numbers))
    plan.receipts += (receipt, entry.received_at, plan.stream(entry), start, stored, items)
    if record is not None:
        outcomes = encode_outcomes(answer.applied_to(record.outcomes), _room(entry, numbers))
        plan.claims[record.digest] = Claim(record.fingerprint, outcomes, receipt)
    _count(plan, entry, stored, numbers)
    return answer


def _trial(plan: Plan, entry: Entry) -> Appended:
    """Return what would be answered to an entry, from what was committed before; nothing of it is planned."""
    before = plan.snapshot
    held_back, known = before.held_back, before.seen | before.quarantined
    positions = [None if row.key in before.seen or row.body in held_back.rows else 0 for row in entry.rows]
    numbers = [
        None if each.key in known or (entry.project, entry.dialect, each.message_id) in held_back.items else 0
        for each in entry.quarantined
    ]
    if entry.outcomes:
        verdicts = [outcome.verdict for outcome, _ in _placed(entry, positions, numbers)]
    else:
        verdicts = [Verdict.DUPLICATE if each is None else Verdict.STORED for each in positions]
    return Appended(NEW, tuple([index for index, each in enumerate(verdicts) if each is Verdict.DUPLICATE]))


def _room(entry: Entry, numbers: Sequence[int | None]) -> int:
    """Return how many bytes the ids and faults of an entry may take where they are stored a second time.

    Beside a request that is kept, they are so only if they are few.
    """
    return 0 if any(numbers) else ROOM_PER_ITEM * max(len(entry.rows), len(entry.outcomes))


def _repeat(plan: Plan, entry: Entry, record: IdempotencyRecord, first: Claim) -> Appended:
    """Return the answer to an entry whose idempotency key was used before."""
    if first.fingerprint != record.fingerprint:
        return Appended(AppendStatus.CONFLICT)
    # All of its items were stored or quarantined the first time, so each of them counts as a duplicate.
    _count(plan, entry, 0, [None] * len(entry.quarantined))
    return Appended(AppendStatus.REPLAYED, outcomes=decode_outcomes(first.outcomes), receipt=first.receipt)


def _store(plan: Plan, entry: Entry) -> Sequence[int | None]:
    """Plan the entry's rows; return the position of each, None for a duplicate."""
    rows, seen, keys, held_back = entry.rows, plan.snapshot.seen, plan.keys, plan.snapshot.held_back.rows
    if len(rows) > 1 and not held_back:
        named = [row.key for row in rows if row.key is not None]
        fresh = set(named)
        if len(fresh) == len(named) and fresh.isdisjoint(seen) and fresh.isdisjoint(keys):
            # Nearly always: the whole entry at once.
            start = plan.position + 1
            keys |= fresh
            plan.events += rows
            plan.position += len(rows)
            return range(start, plan.position + 1)
    positions: list[int | None] = []
    for row in rows:
        key = row.key
        if held_back and row.body in held_back:
            positions.append(None)
            continue
        if key is not None:
            if key in seen or key in keys:
                positions.append(None)
                continue
            keys.add(key)
        plan.position += 1
        positions.append(plan.position)
        plan.events.append(row)
    return positions


def _quarantine(plan: Plan, entry: Entry, receipt: int, *, may_keep: bool) -> list[int | None]:
    """Plan the entry's quarantined items; return the number of each, None for a duplicate.

    If the request may not be kept, the others of its items are kept as if the quarantine had no room.
    """
    before, numbers = plan.snapshot, list[int | None]()
    first, items = plan.quarantine_id + 1, list[QuarantinedItem]()
    held_back = before.held_back.items
    for item in entry.quarantined:
        key = item.key
        if held_back and (entry.project, entry.dialect, item.message_id) in held_back:
            numbers.append(None)
            continue
        if key is not None:
            known = key in before.seen or key in plan.keys
            if known or key in before.quarantined or key in plan.quarantined_keys:
                numbers.append(None)
                continue
            plan.quarantined_keys.add(key)
        plan.quarantine_id += 1
        numbers.append(plan.quarantine_id)
        items.append(item)
    if items:
        request = _quarantined_request(plan, entry, receipt, first, items, may_keep=may_keep)
        plan.quarantine.append(request)
        plan.quarantined_bytes[entry.project] += request.size
    return numbers


def _quarantined_request(
    plan: Plan, entry: Entry, receipt: int, first: int, items: Sequence[QuarantinedItem], *, may_keep: bool
) -> QuarantinedRequest:
    """Return what is kept of an entry's items; without their request and keys if the quarantine has no room.

    It is without the request too where the client asked for privacy.
    """
    keys = tuple([item.key for item in items])
    encoded, request = encode_items(items), entry.request
    compressed = b"" if request is None else request.compressed
    whole = QuarantinedRequest(
        first=first,
        size=OVERHEAD + len(encoded) + len(compressed) + KEY_OVERHEAD * (len(keys) - keys.count(None)),
        received_at=entry.received_at,
        project=entry.project,
        dialect=entry.dialect,
        route=entry.route,
        receipt=receipt,
        keys=keys,
        items=encoded,
        request=compressed or None,
    )
    if request is not None and not compressed:
        whole = attrs.evolve(whole, body_size=request.size)
    room = plan.snapshot.room.get(entry.project)
    if may_keep and (room is None or plan.quarantined_bytes[entry.project] + whole.size <= room):
        return whole
    remains = encode_remains(items)
    return attrs.evolve(
        whole,
        size=OVERHEAD + len(remains),
        keys=(None,) * len(items),
        items=remains,
        request=None,
        body_size=0 if request is None else request.size,
        sha256=b"" if request is None else request.sha256,
    )


def _placed(entry: Entry, positions: Sequence[int | None], numbers: Sequence[int | None]) -> list[Placed]:
    """Return the final outcome of each of the entry's items, in their order, and where it is.

    `positions` are those of the rows, `numbers` those of the quarantined items. Raises ValueError if there are not as
    many of either as the entry's outcomes say.
    """
    outcomes = entry.outcomes or [Outcome(Verdict.STORED, _message_id(row.body)) for row in entry.rows]
    verdicts = [outcome.verdict for outcome in outcomes]
    stored, rejected = verdicts.count(Verdict.STORED), verdicts.count(Verdict.REJECTED)
    if (stored, len(verdicts) - stored - rejected) != (len(positions), len(numbers)):
        raise ValueError("an entry's outcomes do not fit its rows and its quarantined items")
    rows, quarantined = iter(positions), iter(numbers)
    placed: list[Placed] = []
    for outcome in outcomes:
        if outcome.verdict is Verdict.REJECTED:
            placed.append((outcome, None))
            continue
        place = next(rows if outcome.verdict is Verdict.STORED else quarantined)
        placed.append((outcome if place is not None else attrs.evolve(outcome, verdict=Verdict.DUPLICATE), place))
    return placed


def _message_id(body: bytes) -> str:
    event = orjson.loads(body)
    return str(event.get("message_id", "")) if isinstance(event, dict) else ""


def _resolve(plan: Plan, entry: Entry) -> Appended:
    """Plan the end of a quarantined item: its row is stored, or the item is dropped."""
    number = entry.resolves
    assert number is not None, "only such entries come here"
    was = plan.snapshot.pending.get(number)
    if was is None or number in plan.settled:
        return Appended(AppendStatus.REPLAYED)
    [position] = _store(plan, entry) or [0]
    verdict = "duplicate" if position is None else "stored" if position else "dropped"
    plan.settled[number] = [number, verdict, position or None, entry.received_at]
    if verdict != "dropped":
        where = (buckets.minute_of(entry.received_at), entry.project, entry.dialect)
        plan.counts[*where, was] -= 1
        plan.counts[*where, verdict] += 1
    return Appended(NEW, (0,) if position is None else ())


def _count(plan: Plan, entry: Entry, stored: int, numbers: Sequence[int | None]) -> None:
    """Count an entry's items by verdict; `numbers` are None for each quarantined item that is a duplicate."""
    counts, project, dialect = plan.counts, entry.project, entry.dialect
    received, minute = len(entry.rows) + len(entry.quarantined), buckets.minute_of(entry.received_at)
    counts[minute, project, dialect, "received"] += received
    if stored:
        counts[minute, project, dialect, "stored"] += stored
    if entry.quarantined:
        for item, number in zip(entry.quarantined, numbers, strict=True):
            if number is not None:
                counts[minute, project, dialect, item.verdict] += 1
                stored += 1
    if received > stored:
        counts[minute, project, dialect, "duplicate"] += received - stored
    if entry.outcomes:
        rejected = sum([each.verdict is Verdict.REJECTED for each in entry.outcomes])
        counts[minute, project, dialect, "rejected"] += rejected
