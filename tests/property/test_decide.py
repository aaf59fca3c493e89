"""`decide` says the same as a naive model of a log, written from the promises and sharing no code with it."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialect.outcome import Outcome, Verdict
from gateway.storage.contract import Appended, AppendStatus, Entry, EventRow, IdempotencyRecord, QuarantinedItem
from gateway.storage.decide import decide
from gateway.storage.plan import Plan, Snapshot
from gateway.storage.quarantined_items import decode_items

Item = tuple[str, str | None]
"""The verdict that is proposed for an item, and the client's id of it, if it has one."""

Answer = tuple[str, list[str], list[int | None]]
"""The status, each item's verdict, and each item's position in the log or number in the quarantine."""


@attrs.frozen
class Request:
    """An entry in the model's words; `once` are an idempotency key and the content.

    One with `resolves`, the number of a quarantined item, replays that item, or drops it if it has no items itself.
    """

    items: tuple[Item, ...]
    once: tuple[str, str] | None = None
    resolves: int | None = None


class Model:
    """A log and a quarantine that are searched from end to end for each item."""

    def __init__(self) -> None:
        self.log: list[str | None] = []
        self.quarantine: list[Item] = []
        self.ended: set[int] = set()  # numbers of quarantined items that were replayed or dropped
        self.first: dict[str, tuple[str, list[str]]] = {}
        self.counts: Counter[str] = Counter()
        self.resolvable, self.forgotten = 0, set(self.ended)

    def commit(self, group: list[Request]) -> list[Answer]:
        # What a group itself quarantines cannot be resolved by it, and what it resolves is known until its end.
        self.resolvable, self.forgotten = len(self.quarantine), set(self.ended)
        return [self.append(each) if each.resolves is None else self.resolve(each.resolves, each) for each in group]

    def append(self, request: Request) -> Answer:
        key, content = request.once or ("", "")
        if key in self.first and self.first[key][0] != content:
            return "conflict", [], []
        proposed = [verdict for verdict, _ in request.items]
        self.counts["received"] += len(proposed) - proposed.count("rejected")
        if key in self.first:
            self.counts.update("rejected" if verdict == "rejected" else "duplicate" for verdict in proposed)
            return "replayed", self.first[key][1], []
        events_first = sorted(range(len(proposed)), key=lambda index: proposed[index] != "stored")
        became = {index: self.item(*request.items[index]) for index in events_first}
        verdicts, places = (
            [became[index][0] for index in sorted(became)],
            [became[index][1] for index in sorted(became)],
        )
        self.counts.update(verdicts)
        if request.once:
            self.first[key] = content, verdicts
        return "new", verdicts, places

    def item(self, verdict: str, name: str | None) -> tuple[str, int | None]:
        if verdict == "rejected":
            return verdict, None
        held = [each for number, (_, each) in enumerate(self.quarantine, 1) if number not in self.forgotten]
        if name is not None and (name in self.log or (verdict != "stored" and name in held)):
            return "duplicate", None
        if verdict == "stored":
            self.log.append(name)
            return verdict, len(self.log)
        self.quarantine.append((verdict, name))
        return verdict, len(self.quarantine)

    def resolve(self, number: int, request: Request) -> Answer:
        if number > self.resolvable or number in self.ended:
            return "replayed", [], []
        self.ended.add(number)
        if not request.items:
            return "new", [], []
        verdict, place = self.item("stored", request.items[0][1])
        self.counts.subtract([self.quarantine[number - 1][0]])
        self.counts[verdict] += 1
        return "new", [verdict], [place]


class Decided:
    """The same by `decide`: each plan is taken over as an engine does."""

    def __init__(self) -> None:
        self.log: list[bytes | None] = []
        self.pending: dict[int, tuple[str, bytes | None]] = {}
        self.snapshot = Snapshot()
        self.counts: Counter[str] = Counter()

    def commit(self, group: list[Request]) -> list[Answer]:
        snapshot = attrs.evolve(
            self.snapshot,
            quarantined={key for _, key in self.pending.values() if key is not None},
            pending={number: verdict for number, (verdict, _) in self.pending.items()},
        )
        plan = decide([entry(each) for each in group], snapshot, random_bits=lambda: 0)
        self.log += [event.key for event in plan.events]
        for held in plan.quarantine:
            for item, key in zip(decode_items(held.items, held.first), held.keys, strict=True):
                self.pending[item.number] = (item.verdict, key)
        for number in plan.settled:
            del self.pending[number]
        for (*_, verdict), count in plan.counts.items():
            self.counts[verdict] += count
        self.snapshot = Snapshot(
            position=plan.position,
            receipt=plan.receipt,
            quarantine_id=plan.quarantine_id,
            seen=snapshot.seen | plan.keys,
            claims={**snapshot.claims, **plan.claims},
            streams={**snapshot.streams, **plan.streams},
        )
        receipts = rows(plan.receipts, 6)
        return [self.answer(plan, each, answer, receipts) for each, answer in zip(group, plan.answers, strict=True)]

    def answer(self, plan: Plan, request: Request, appended: Appended, receipts: Iterator[list[Any]]) -> Answer:
        if appended.status is not AppendStatus.NEW:
            return appended.status.value, [outcome.verdict.value for outcome in appended.outcomes], []
        verdicts = [outcome.verdict.value for outcome in appended.applied_to(outcomes(request))]
        if request.resolves is not None:
            return "new", verdicts, [plan.settled[request.resolves][2] for _ in request.items]  # type: ignore[misc]
        _receipt, _received_at, _stream, start, stored, items = next(receipts)
        if items is None:
            return "new", verdicts, list(range(start, start + stored))
        told = json.loads(items)
        assert [item["verdict"] for item in told] == verdicts
        return "new", verdicts, [item.get("position", item.get("quarantine")) for item in told]


def rows(flat: list[object], width: int) -> Iterator[list[Any]]:
    return (flat[start : start + width] for start in range(0, len(flat), width))


def outcomes(request: Request) -> tuple[Outcome, ...]:
    return tuple(Outcome(Verdict(verdict), str(index)) for index, (verdict, _) in enumerate(request.items))


def key_of(name: str | None) -> bytes | None:
    return None if name is None else name.rjust(16).encode()


def entry(request: Request) -> Entry:
    """Return a request as the pipeline or a command hands it to a store."""
    items = list(enumerate(request.items))
    record = None
    if request.once is not None:
        digest, fingerprint = [name.rjust(16).encode() for name in request.once]
        record = IdempotencyRecord(digest, fingerprint, outcomes(request))
    return Entry(
        project="p",
        dialect="d",
        route="r",
        received_at=1,
        rows=tuple(
            EventRow(b'{"message_id":"%d"}' % index, key_of(name))
            for index, (verdict, name) in items
            if verdict == "stored"
        ),
        quarantined=tuple(
            QuarantinedItem(str(index), b"[]", b"{}", key_of(name), index, verdict)
            for index, (verdict, name) in items
            if verdict in ("quarantined", "filtered")
        ),
        idempotency=record,
        outcomes=() if all(verdict == "stored" for verdict, _ in request.items) else outcomes(request),
        resolves=request.resolves,
    )


NAMES = st.sampled_from([None, *"abcdef"])
PROPOSED = st.sampled_from(["stored", "stored", "stored", "quarantined", "filtered", "rejected"])
APPENDS = st.builds(
    Request,
    items=st.lists(st.tuples(PROPOSED, NAMES), max_size=5).map(tuple),
    once=st.none() | st.tuples(st.sampled_from("klm"), st.sampled_from("xy")),
)
REPLAYS = st.builds(
    Request, items=st.lists(st.tuples(st.just("stored"), NAMES), max_size=1).map(tuple), resolves=st.integers(1, 6)
)
GROUPS = st.lists(st.lists(APPENDS | APPENDS | REPLAYS, max_size=5), max_size=5)


@settings(max_examples=1000, deadline=None)
@given(groups=GROUPS)
def test_verdicts_positions_and_counts_are_those_of_a_naive_model(groups: list[list[Request]]) -> None:
    model, decided = Model(), Decided()
    for group in groups:
        assert decided.commit(group) == model.commit(group)
    assert decided.log == [key_of(name) for name in model.log]
    assert {verdict: count for verdict, count in decided.counts.items() if count} == {
        verdict: count for verdict, count in model.counts.items() if count
    }
    counts = decided.counts
    assert counts["received"] == sum(counts[each] for each in ("stored", "duplicate", "quarantined", "filtered"))
