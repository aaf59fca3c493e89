"""What a group of entries becomes: answers, and rows for each table. Pure: no connection, no clock, no chance."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import attrs
import orjson

from gateway.dialect.outcome import Outcome, Verdict
from gateway.records.raw_request import RawRequest
from gateway.storage import buckets
from gateway.storage.contract import Appended, AppendStatus, Entry, EventRow, IdempotencyRecord
from gateway.storage.outcomes_json import Placed, decode_outcomes, encode_outcomes, receipt_items

RECEIPT_RANDOM_BITS = 20
LATEST = 1 << 42  # milliseconds: the year 2109; what a clock says beyond would not fit


@attrs.define
class Snapshot:
    """What was committed before, as far as a group must know.

    `position`, `receipt` and `held_id` are the last numbers given. `seen` and `held` are those of the group's keys that
    an event or a held item has, `pending` the held items that the group settles and that are there still, with their
    verdict and key.
    """

    position: int = 0
    receipt: int = 0
    quarantine_id: int = 0
    seen: set[bytes] = attrs.field(factory=set)
    claims: Mapping[bytes, tuple[bytes, bytes, int]] = attrs.field(factory=dict)
    quarantined: set[bytes] = attrs.field(factory=set)
    pending: Mapping[int, str] = attrs.field(factory=dict)
    streams: Mapping[tuple[str, str, str], int] = attrs.field(factory=dict)


@attrs.define
class Plan:
    """The outcome of a group. Rows but events lie flat, one value after the other, as the statements take them.

    `events` are those to store, in the order of their positions. `counts` are by minute (its start, in seconds),
    project, dialect and verdict.
    """

    snapshot: Snapshot
    position: int
    receipt: int
    quarantine_id: int
    random_bits: Callable[[], int]
    answers: list[Appended] = attrs.field(factory=list)
    events: list[EventRow] = attrs.field(factory=list)
    keys: set[bytes] = attrs.field(factory=set)
    quarantine: list[object] = attrs.field(factory=list)
    quarantined_keys: set[bytes] = attrs.field(factory=set)
    requests: list[object] = attrs.field(factory=list)
    raws: list[object] = attrs.field(factory=list)
    receipts: list[object] = attrs.field(factory=list)
    streams: dict[tuple[str, str, str], int] = attrs.field(factory=dict)
    settled: dict[int, list[object]] = attrs.field(factory=dict)
    claims: dict[bytes, tuple[bytes, bytes, int]] = attrs.field(factory=dict)
    counts: Counter[tuple[int, str, str, str]] = attrs.field(factory=Counter)

    def totals(self) -> Counter[tuple[str, str, str]]:
        """Return what to add to the counters, by project, dialect and verdict."""
        totals: Counter[tuple[str, str, str]] = Counter()
        for (_, project, dialect, verdict), count in self.counts.items():
            totals[project, dialect, verdict] += count
        return totals

    def counters(self) -> list[object]:
        """Return the rows of what to add to the counters."""
        return [value for name, count in self.totals().items() if count for value in (*name, count)]

    def counter_buckets(self) -> list[object]:
        """Return the rows of what to add to the counters by time."""
        return [value for row in buckets.rows(self.counts.items()) for value in row]

    def claimed(self) -> list[object]:
        """Return the rows of the new claims."""
        return [value for digest, rest in self.claims.items() for value in (digest, *rest)]

    def named_streams(self) -> list[object]:
        """Return the rows of the new streams."""
        return [value for name, number in self.streams.items() for value in (number, *name)]

    def settlements(self) -> list[object]:
        """Return the rows of the held items that ended."""
        return [value for row in self.settled.values() for value in row]

    def stream(self, entry: Entry) -> int:
        """Return the small number that stands for a project, a dialect and a route together."""
        name = (entry.project, entry.dialect, entry.route)
        found = self.snapshot.streams.get(name) or self.streams.get(name)
        if found is None:
            found = self.streams[name] = len(self.snapshot.streams) + len(self.streams) + 1
        return found

    def next_receipt(self, received_at: int) -> int:
        """Return the number of a new receipt: larger than all before, and telling the time but not how many there are.

        Receipts go out to anybody who may send, so that numbers in a row would tell everyone how busy the place is.
        """
        drawn = self.random_bits()
        self.receipt = max(min(received_at, LATEST) << RECEIPT_RANDOM_BITS | drawn, self.receipt + 1 + (drawn & 0xFF))
        return self.receipt


def decide(entries: Sequence[Entry], snapshot: Snapshot, random_bits: Callable[[], int]) -> Plan:
    """Return the group's plan. `chance` gives a number of 20 random bits.

    The first occurrence wins, also within the group. Raises UnicodeDecodeError on text that is not UTF-8.
    """
    plan = Plan(snapshot, snapshot.position, snapshot.receipt, snapshot.quarantine_id, random_bits)
    for entry in entries:
        plan.answers.append(_resolve(plan, entry) if entry.resolves is not None else _answer(plan, entry))
    return plan


def _answer(plan: Plan, entry: Entry) -> Appended:
    record = entry.idempotency
    if record is not None:
        first = plan.snapshot.claims.get(record.digest) or plan.claims.get(record.digest)
        if first is not None:
            return _repeat(plan, entry, record, first)
    start = plan.position + 1
    receipt = plan.next_receipt(entry.received_at)
    positions = _place(plan, entry)
    numbers = _quarantine(plan, entry, receipt) if entry.quarantined else ()
    if entry.raw is not None and any(numbers):
        plan.requests += _request(receipt, entry.raw)
    if entry.raw_compressed:
        plan.raws += (receipt, entry.raw_compressed)
    stored = plan.position - start + 1
    answer, items = Appended(AppendStatus.NEW, receipt=receipt), None
    if entry.outcomes or entry.quarantined or stored != len(entry.rows):
        placed = _placed(entry, positions, numbers)
        duplicates = [index for index, (outcome, _) in enumerate(placed) if outcome.verdict is Verdict.DUPLICATE]
        answer, items = Appended(AppendStatus.NEW, tuple(duplicates), receipt=receipt), receipt_items(placed)
    plan.receipts += (receipt, entry.received_at, plan.stream(entry), start, stored, items)
    if record is not None:
        outcomes = encode_outcomes(answer.applied_to(record.outcomes))
        plan.claims[record.digest] = (record.fingerprint, outcomes, receipt)
    _count(plan, entry, stored, numbers)
    return answer


def _repeat(plan: Plan, entry: Entry, record: IdempotencyRecord, first: tuple[bytes, bytes, int]) -> Appended:
    if first[0] != record.fingerprint:
        return Appended(AppendStatus.CONFLICT)
    # All of its items were stored or kept aside the first time, so each of them counts as a duplicate.
    _count(plan, entry, 0, [None] * len(entry.quarantined))
    return Appended(AppendStatus.REPLAYED, outcomes=decode_outcomes(first[1]), receipt=first[2])


def _place(plan: Plan, entry: Entry) -> Sequence[int | None]:
    """Give each row its position; None where it was seen before."""
    rows, seen, keys = entry.rows, plan.snapshot.seen, plan.keys
    named = [row.key for row in rows if row.key is not None]
    fresh = set(named)
    start = plan.position + 1
    if len(fresh) == len(named) and fresh.isdisjoint(seen) and fresh.isdisjoint(keys):
        # As nearly always: the whole entry at once.
        keys |= fresh
        plan.events += rows
        plan.position += len(rows)
        return range(start, plan.position + 1)
    places: list[int | None] = []
    for row in rows:
        key = row.key
        if key is not None:
            if key in seen or key in keys:
                places.append(None)
                continue
            keys.add(key)
        plan.position += 1
        places.append(plan.position)
        plan.events.append(row)
    return places


def _quarantine(plan: Plan, entry: Entry, receipt: int) -> list[int | None]:
    """Give each quarantined item its number; None where its id is known already."""
    numbers: list[int | None] = []
    for quarantined in entry.quarantined:
        key = quarantined.key
        if key is not None:
            if (
                key in plan.snapshot.seen
                or key in plan.keys
                or key in plan.snapshot.quarantined
                or key in plan.quarantined_keys
            ):
                numbers.append(None)
                continue
            plan.quarantined_keys.add(key)
        plan.quarantine_id += 1
        numbers.append(plan.quarantine_id)
        plan.quarantine += (
            plan.quarantine_id,
            quarantined.message_id,
            entry.received_at,
            entry.project,
            entry.dialect,
            entry.route,
        )
        plan.quarantine += (
            quarantined.faults.decode(),
            quarantined.payload.decode(),
            quarantined.verdict,
            key,
            quarantined.index,
            receipt,
        )
    return numbers


def _placed(entry: Entry, positions: Sequence[int | None], numbers: Sequence[int | None]) -> list[Placed]:
    """Return what became of each of the entry's items, in their order, and where it is.

    `positions` are those of the rows, `numbers` those of the quarantined items. Raises ValueError where the entry's
    outcomes are those of other items.
    """
    outcomes = entry.outcomes or [Outcome(Verdict.STORED, _message_id(row.body)) for row in entry.rows]
    verdicts = [outcome.verdict for outcome in outcomes]
    stored, rejected = verdicts.count(Verdict.STORED), verdicts.count(Verdict.REJECTED)
    if (stored, len(verdicts) - stored - rejected) != (len(positions), len(numbers)):
        raise ValueError("an entry's outcomes are not those of its rows and its quarantined items")
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
    number = entry.resolves
    assert number is not None, "only such entries come here"
    was = plan.snapshot.pending.get(number)
    if was is None or number in plan.settled:
        return Appended(AppendStatus.REPLAYED)
    [place] = _place(plan, entry) or [0]
    verdict = "duplicate" if place is None else "stored" if place else "dropped"
    plan.settled[number] = [number, verdict, place or None, entry.received_at]
    if verdict != "dropped":
        where = (buckets.minute_of(entry.received_at), entry.project, entry.dialect)
        plan.counts[*where, was] -= 1
        plan.counts[*where, verdict] += 1
    return Appended(AppendStatus.NEW, (0,) if place is None else ())


def _request(receipt: int, raw: RawRequest) -> tuple[object, ...]:
    head = (raw.method, raw.path, raw.query.decode(), raw.headers.decode())
    return (receipt, *head, raw.body, raw.client_ip, raw.site)


def _count(plan: Plan, entry: Entry, stored: int, numbers: Sequence[int | None]) -> None:
    received = len(entry.rows) + len(entry.quarantined)
    where = (buckets.minute_of(entry.received_at), entry.project, entry.dialect)
    plan.counts[*where, "received"] += received
    if stored:
        plan.counts[*where, "stored"] += stored
    kept = 0
    for item, number in zip(entry.quarantined, numbers, strict=True):
        if number is not None:
            plan.counts[*where, item.verdict] += 1
            kept += 1
    if received > stored + kept:
        plan.counts[*where, "duplicate"] += received - stored - kept
    if entry.outcomes:
        plan.counts[*where, "rejected"] += sum([each.verdict is Verdict.REJECTED for each in entry.outcomes])
