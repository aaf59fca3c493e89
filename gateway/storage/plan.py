"""What a group of entries becomes: answers, and rows for each table. Pure: no connection, no clock, no chance."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import attrs

from gateway.storage.account import Places, account, refused
from gateway.storage.base import Appended, Claim, Entry, Raw, Row, Standing

CHANCE_BITS = 20
LATEST = 1 << 42  # milliseconds: the year 2109; what a clock says beyond would not fit


@attrs.define
class Before:
    """What was committed before, as far as a group must know.

    `position`, `receipt` and `held_id` are the last numbers given. `seen` and `held` are those of the group's keys that
    an event or a held item has, `pending` the held items that the group settles and that are there still, with their
    verdict and key.
    """

    position: int = 0
    receipt: int = 0
    held_id: int = 0
    seen: set[bytes] = attrs.field(factory=set)
    claims: Mapping[bytes, tuple[bytes, bytes, int]] = attrs.field(factory=dict)
    held: set[bytes] = attrs.field(factory=set)
    pending: Mapping[int, str] = attrs.field(factory=dict)
    streams: Mapping[tuple[str, str, str], int] = attrs.field(factory=dict)


@attrs.define
class Plan:
    """The outcome of a group. Rows but events lie flat, one value after the other, as the statements take them.

    `events` are those to store, in the order of their positions.
    """

    before: Before
    position: int
    receipt: int
    held_id: int
    chance: Callable[[], int]
    answers: list[Appended] = attrs.field(factory=list)
    events: list[Row] = attrs.field(factory=list)
    keys: set[bytes] = attrs.field(factory=set)
    quarantine: list[object] = attrs.field(factory=list)
    held_keys: set[bytes] = attrs.field(factory=set)
    requests: list[object] = attrs.field(factory=list)
    raws: list[object] = attrs.field(factory=list)
    receipts: list[object] = attrs.field(factory=list)
    streams: dict[tuple[str, str, str], int] = attrs.field(factory=dict)
    settled: dict[int, list[object]] = attrs.field(factory=dict)
    claims: dict[bytes, tuple[bytes, bytes, int]] = attrs.field(factory=dict)
    counts: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)

    def counters(self) -> list[object]:
        """Return the rows of what to add to the counters."""
        return [value for name, count in self.counts.items() if count for value in (*name, count)]

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
        found = self.before.streams.get(name) or self.streams.get(name)
        if found is None:
            found = self.streams[name] = len(self.before.streams) + len(self.streams) + 1
        return found

    def next_receipt(self, received_at: int) -> int:
        """Return the number of a new receipt: larger than all before, and telling the time but not how many there are.

        Receipts go out to anybody who may send, so that numbers in a row would tell everyone how busy the place is.
        """
        drawn = self.chance()
        self.receipt = max(min(received_at, LATEST) << CHANCE_BITS | drawn, self.receipt + 1 + (drawn & 0xFF))
        return self.receipt


def decide(entries: Sequence[Entry], before: Before, chance: Callable[[], int]) -> Plan:
    """Return the group's plan. `chance` gives a number of 20 random bits.

    The first occurrence wins, also within the group. Raises UnicodeDecodeError on text that is not UTF-8.
    """
    plan = Plan(before, before.position, before.receipt, before.held_id, chance)
    for entry in entries:
        plan.answers.append(_settle(plan, entry) if entry.settles is not None else _answer(plan, entry))
    return plan


def _answer(plan: Plan, entry: Entry) -> Appended:
    claim = entry.claim
    if claim is not None:
        first = plan.before.claims.get(claim.digest) or plan.claims.get(claim.digest)
        if first is not None:
            return _again(plan, entry, claim, first)
    start = plan.position + 1
    receipt = plan.next_receipt(entry.received_at)
    places = _place(plan, entry)
    held = _hold(plan, entry, receipt) if entry.held else []
    if entry.raw is not None and any(held):
        plan.requests += _request(receipt, entry.raw)
    if entry.packed:
        plan.raws += (receipt, entry.packed)
    stored = plan.position - start + 1
    plain = stored == len(entry.rows) and not held
    told = account(entry, Places(places, held)) if entry.account or not plain else None
    plan.receipts += (receipt, entry.received_at, plan.stream(entry), start, stored, told)
    if claim is not None:
        plan.claims[claim.digest] = (claim.fingerprint, claim.memory, receipt)
    _count(plan, entry, stored, held)
    seen = (False,) * stored if plain else tuple([place is None for place in (*places, *held)])
    return Appended(Standing.FRESH, seen, receipt=receipt)


def _again(plan: Plan, entry: Entry, claim: Claim, first: tuple[bytes, bytes, int]) -> Appended:
    if first[0] != claim.fingerprint:
        return Appended(Standing.CONFLICT)
    # Its items were all taken before, so that whatever it carries now counts as duplicate.
    _count(plan, entry, 0, [None] * len(entry.held))
    return Appended(Standing.REPLAY, memory=first[1], receipt=first[2])


def _place(plan: Plan, entry: Entry) -> Sequence[int | None]:
    """Give each row its position; None where it was seen before."""
    rows, seen, keys = entry.rows, plan.before.seen, plan.keys
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


def _hold(plan: Plan, entry: Entry, receipt: int) -> list[int | None]:
    """Give each held item its number; None where its id is known already."""
    numbers: list[int | None] = []
    for held in entry.held:
        key = held.key
        if key is not None:
            if key in plan.before.seen or key in plan.keys or key in plan.before.held or key in plan.held_keys:
                numbers.append(None)
                continue
            plan.held_keys.add(key)
        plan.held_id += 1
        numbers.append(plan.held_id)
        plan.quarantine += (plan.held_id, held.message_id, entry.received_at, entry.project, entry.dialect, entry.route)
        plan.quarantine += (held.faults.decode(), held.payload.decode(), held.verdict, key, held.index, receipt)
    return numbers


def _settle(plan: Plan, entry: Entry) -> Appended:
    number = entry.settles
    assert number is not None, "only such entries come here"
    was = plan.before.pending.get(number)
    if was is None or number in plan.settled:
        return Appended(Standing.REPLAY)
    [place] = _place(plan, entry) or [0]
    verdict = "duplicate" if place is None else "stored" if place else "dropped"
    plan.settled[number] = [number, verdict, place or None, entry.received_at]
    if verdict != "dropped":
        plan.counts[entry.project, entry.dialect, was] -= 1
        plan.counts[entry.project, entry.dialect, verdict] += 1
    return Appended(Standing.FRESH, (True,) if place is None else (False,) * len(entry.rows))


def _request(receipt: int, raw: Raw) -> tuple[object, ...]:
    head = (raw.method, raw.path, raw.query.decode(), raw.headers.decode())
    return (receipt, *head, raw.body, raw.client_ip, raw.site)


def _count(plan: Plan, entry: Entry, stored: int, held: Sequence[int | None]) -> None:
    received = len(entry.rows) + len(entry.held)
    where = (entry.project, entry.dialect)
    plan.counts[*where, "received"] += received
    plan.counts[*where, "stored"] += stored
    kept = 0
    for item, number in zip(entry.held, held, strict=True):
        if number is not None:
            plan.counts[*where, item.verdict] += 1
            kept += 1
    plan.counts[*where, "duplicate"] += received - stored - kept
    if entry.account:
        plan.counts[*where, "refused"] += refused(entry)
