"""What is held back inside the commit, because its person was erased; and that nobody else pays for it."""

import attrs
import orjson

from gateway.dialect.outcome import Outcome, Verdict
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import AppendStatus, Blob, Entry, EventRow, QuarantinedItem
from gateway.storage.decide import decide
from gateway.storage.erasing.guard import Guard
from gateway.storage.erasing.hashes import message_hash, person_hash
from gateway.storage.plan import NOTHING, HeldBack, Plan, Snapshot
from gateway.testing.engine.given.entries import kept, key

AT = 1_700_000_000_000  # 2023-11-14T22:13:20.000Z
SECRET = b"s" * 32
GUARD = Guard(SECRET, {"shop": {person_hash(SECRET, "shop", "user_id", "ann"): AT}})


def row(name: str, time: str = "2023-11-14T22:13:19.999Z", **ids: object) -> EventRow:
    return EventRow(orjson.dumps({"project": "shop", "message_id": name, "timestamp": time, **ids}), key(name))


def entry(*rows: EventRow, project: str = "shop", **more: object) -> Entry:
    return Entry(project, "toy", "track", AT, rows, **more)  # type: ignore[arg-type]


def held_back(*entries: Entry, erased: tuple[str, ...] = ()) -> HeldBack:
    look = GUARD.look(entries)
    assert look is not None
    hashes = {message_hash(SECRET, "shop", "toy", name) for name in erased}
    return look.held_back([each for each in look.hashes if each in hashes])


def decided(one: Entry, found: HeldBack) -> Plan:
    return decide([one], Snapshot(held_back=found, pending={1: "quarantined"}), lambda: 1)


def test_only_projects_with_erasures_are_looked_at() -> None:
    assert GUARD.look([entry(EventRow(b"not even JSON"), project="blog")]) is None
    assert Guard().look([entry(EventRow(b"not even JSON"))]) is None


def test_a_persons_events_of_before_the_erasure_are_held_back_and_no_others() -> None:
    before = [
        row("1", user_id="ann"),
        row("2", previous_id="ann"),
        row("3", "2023-11-14T22:13:19.999999Z", user_id="ann"),
    ]
    others = [
        row("4", "2023-11-14T22:13:20.000Z", user_id="ann"),
        row("5", user_id="bob"),
        row("6", anonymous_id="ann"),
        row("7", "2023-11-14T22:13:20.000001Z", user_id="ann"),
    ]
    assert held_back(entry(*before, *others)) == HeldBack(frozenset([each.body for each in before]))


def test_a_retry_of_an_erased_event_is_held_back_whatever_its_time_says_but_not_anothers_of_that_id() -> None:
    retry, new = (
        row("1", "2030-01-01T00:00:00.000Z", user_id="ann"),
        row("2", "2030-01-01T00:00:00.000Z", user_id="ann"),
    )
    anothers = row("1", user_id="bob")
    assert held_back(entry(retry, new, anothers), erased=("1",)) == HeldBack(frozenset([retry.body]))


def test_what_is_held_back_counts_as_a_duplicate_and_nothing_of_its_request_is_kept() -> None:
    ann, bob = row("1", user_id="ann"), row("2", user_id="bob")
    items = (QuarantinedItem("q-1", b"[]", key=key("q-1")), QuarantinedItem("q-2", b"[]", key=key("q-2"), index=1))
    request = RawRequest("POST", "/", b"{}", b"{}", b"ann and bob")
    outcomes = [Outcome(Verdict.QUARANTINED, each.message_id) for each in items]
    outcomes += [Outcome(Verdict.STORED, "1"), Outcome(Verdict.STORED, "2")]
    whole = entry(
        ann, bob, quarantined=items, request=kept(request), raw_compressed=compress(request), outcomes=tuple(outcomes)
    )
    found = held_back(whole, erased=("q-1",))
    assert found == HeldBack(frozenset([ann.body]), frozenset([("shop", "toy", "q-1")]))

    plan = decided(whole, found)

    assert (plan.answers[0].duplicates, plan.events, plan.raws) == ((0, 2), [bob], [])
    [remains] = plan.quarantine
    assert (remains.keys, remains.request, remains.body_size) == ((None,), None, len(request.body))
    assert decided(whole, NOTHING).raws != []


def test_a_replay_of_a_held_item_of_an_erased_person_ends_as_a_duplicate() -> None:
    replay = attrs.evolve(entry(row("1", user_id="ann")), resolves=1)
    plan = decided(replay, held_back(replay))
    assert (plan.answers[0].status, plan.answers[0].duplicates, plan.events) == (AppendStatus.NEW, (0,), [])
    assert [each[1] for each in plan.settled.values()] == ["duplicate"]


def test_a_file_of_an_event_that_is_held_back_is_not_kept() -> None:
    own, shared = Blob("a" * 64, b"own"), Blob("b" * 64, b"shared")
    ann = row("1", user_id="ann", context={"files": ["a" * 64, "b" * 64]})
    bob = row("2", user_id="bob", context={"files": ["b" * 64]})
    whole = entry(ann, bob, blobs=(own, shared))
    assert held_back(whole).blobs_of(whole) == [shared]
    assert NOTHING.blobs_of(whole) == (own, shared)
