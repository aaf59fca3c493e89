"""The one loop over a submission's items: what each becomes, in their order, and who has a turn meanwhile."""

import asyncio
import hashlib
import threading
from collections.abc import Mapping
from typing import Any

import attrs
import orjson
import pytest

from gateway.dialect import (
    NOTHING,
    Credential,
    Event,
    EventWithFiles,
    Fault,
    Item,
    OnInvalid,
    Received,
    Route,
    Submission,
)
from gateway.dialect.contract import Accepted, Translated
from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Outcome, Reason, Refusal, Verdict
from gateway.ingest.ids import dedupe_key
from gateway.ingest.items import Classified, ItemClassifier, LineWithFiles, NotStored
from gateway.ingest.items.classify import ITEMS_AT_ONCE, LARGE_BODY, MANY_ITEMS, MAX_HOLD
from gateway.ingest.registry import Installed
from gateway.ingest.schema import MAX_FAULTS, build, load
from gateway.storage.contract import Blob, EventRow, QuarantinedItem
from tests.kit import fake_dialect

SCHEMA = build("thing.json", '{"type": "object", "required": ["name"]}')
REQUEST = Request("POST", "/things", {}, {}, b"the body", 0)
INVALID = (Fault("required", "/name"),)
UNTRANSLATABLE = (Fault("no_time", "/at"),)
BOT = (Fault("known_bot", "/context/user_agent"),)


def translate(item: Item, message_id: str, received: Received) -> Translated:
    """Return an event named by its item; an item `at` a time that cannot be read has none."""
    fields: Any = item.payload
    if "at" in fields:
        return UNTRANSLATABLE[0]
    event = Event(
        project=received.project,
        dialect="acme",
        type="track",
        name=fields["name"],
        message_id=message_id,
        timestamp=received.received_at,
        received_at=received.received_at,
        user_id=fields.get("user"),
        context={**received.context, "user_agent": fields["by"]} if "by" in fields else received.context,
    )
    files = tuple(each.encode() for each in fields.get("files", ()))
    return EventWithFiles(event, files, tuple(fields.get("digests", ()))) if files else event


def classifier(
    on_invalid: OnInvalid = OnInvalid.QUARANTINE,
    body_cap: int = 1 << 20,
    context: Mapping[str, object] = NOTHING,
    is_stranger: bool = False,
) -> ItemClassifier:
    route = Route("things", ("/things",), lambda _: Submission(), translate, render, on_invalid=on_invalid)
    dialect = attrs.evolve(fake_dialect.dialect, body_cap=body_cap)
    installed = Installed(dialect, (route,), {"thing": SCHEMA}, {}, load("jsonschemas.canonical")["event"])
    received = Received("shop", "site-1", "2026-01-02T03:04:05.678Z", None, context)
    return ItemClassifier(installed, route, received, is_bot=lambda agent: agent == "a bot", is_stranger=is_stranger)


def render(_accepted: Accepted) -> Response:
    return Response(200)


def item(message_id: str | None, **fields: object) -> Item:
    return Item("thing", "thing", fields, message_id)


async def classified(*items: Item, on_invalid: OnInvalid = OnInvalid.QUARANTINE) -> Classified:
    submission = Submission((Credential("api_key", "acme_secret"),), items)
    return await classifier(on_invalid).classify(REQUEST, submission, lambda index: f"new-{index}", lambda: 0.0)


async def test_an_item_that_a_public_id_opens_is_quarantined_without_anybodys_secrets() -> None:
    submission = Submission((Credential("site", "site-1"),), (item("a", password="hush", said="not-to-be-kept"),))
    request = attrs.evolve(REQUEST, headers={"x-token": "not-to-be-kept"})
    of_stranger = classifier(is_stranger=True)
    found = await of_stranger.classify(request, submission, lambda index: f"new-{index}", lambda: 0.0)
    assert [each.payload for each in found.quarantined] == [b'{"password":"[redacted]","said":"[redacted]"}']


def event(name: str, message_id: str, context: str = "{}") -> bytes:
    return (
        f'{{"project":"shop","dialect":"acme","type":"track","name":"{name}","message_id":"{message_id}",'
        '"timestamp":"2026-01-02T03:04:05.678Z","sent_at":null,"received_at":"2026-01-02T03:04:05.678Z",'
        '"anonymous_id":null,"user_id":null,"previous_id":null,"group_id":null,"session_id":null,"properties":{},'
        f'"traits":{{}},"context":{context}}}'
    ).encode()


def key(message_id: str) -> bytes | None:
    return dedupe_key("shop", "acme", "site-1", item(message_id))


def json_of(faults: tuple[Fault, ...]) -> bytes:
    return orjson.dumps([attrs.asdict(fault) for fault in faults])


async def test_every_item_has_one_outcome_in_the_items_order() -> None:
    items = (
        item("a", name="first"),
        item("b", nothing="acme_secret"),
        item(None, name="second"),
        item("d", name="third", by="a bot"),
        item("e", name="fourth", at="?"),
    )
    found = await classified(*items)

    assert found == Classified(
        outcomes=(
            Outcome(Verdict.STORED, "a"),
            Outcome(Verdict.QUARANTINED, "b", INVALID),
            Outcome(Verdict.STORED, "new-2"),
            Outcome(Verdict.FILTERED, "d"),
            Outcome(Verdict.QUARANTINED, "e", UNTRANSLATABLE),
        ),
        rows=(EventRow(event("first", "a"), key("a")), EventRow(event("second", "new-2"), None)),
        quarantined=(
            QuarantinedItem("b", json_of(INVALID), b'{"nothing":"[redacted]"}', key("b"), 1, "quarantined"),
            QuarantinedItem("d", json_of(BOT), b'{"name":"third","by":"a bot"}', key("d"), 3, "filtered"),
            QuarantinedItem("e", json_of(UNTRANSLATABLE), b'{"name":"fourth","at":"?"}', key("e"), 4, "quarantined"),
        ),
        blobs=(),
        submission=Submission((Credential("api_key", "acme_secret"),), items),
    )


async def test_a_route_that_rejects_items_stores_the_others() -> None:
    found = await classified(
        item("a"), item("b", name="n"), item("c", name="n", at="?"), on_invalid=OnInvalid.REJECT_ITEM
    )

    assert found.outcomes == (
        Outcome(Verdict.REJECTED, "a", INVALID),
        Outcome(Verdict.STORED, "b"),
        Outcome(Verdict.REJECTED, "c", UNTRANSLATABLE),
    )
    assert (len(found.rows), found.quarantined) == (1, ())


@pytest.mark.parametrize("on_invalid", [OnInvalid.REJECT_REQUEST, OnInvalid.QUARANTINE_UNTRANSLATABLE])
async def test_a_route_that_rejects_requests_stores_nothing_of_one_with_an_invalid_item(on_invalid: OnInvalid) -> None:
    with pytest.raises(Refusal) as refused:
        await classified(item("a", name="n"), item("b"), on_invalid=on_invalid)

    assert (refused.value.reason, refused.value.outcomes) == (
        Reason.INVALID,
        (Outcome(Verdict.REJECTED, "a"), Outcome(Verdict.REJECTED, "b", INVALID)),
    )


async def test_what_is_valid_and_cannot_be_translated_may_be_quarantined_all_the_same() -> None:
    found = await classified(item("a", name="n", at="?"), on_invalid=OnInvalid.QUARANTINE_UNTRANSLATABLE)

    assert found.outcomes == (Outcome(Verdict.QUARANTINED, "a", UNTRANSLATABLE),)


async def test_a_file_has_the_digest_that_its_dialect_gave_or_else_its_own() -> None:
    found = await classified(
        item("a", name="n", files=["content"]), item("b", name="n", files=["content"], digests=["given"])
    )

    assert found.blobs == (Blob(hashlib.sha256(b"content").hexdigest(), b"content"), Blob("given", b"content"))


async def test_events_that_are_not_canonical_are_quarantined_and_explained_up_to_a_bound() -> None:
    items = [item(str(number), name="n", user=7) for number in range(MAX_FAULTS + 2)]
    found = await classified(*items, on_invalid=OnInvalid.REJECT_REQUEST)

    explained = (Fault("not_canonical", "/user_id", {"rule": "type"}),)
    unexplained = (Fault("not_canonical", "", {"rule": "invalid"}),)
    assert [(each.verdict, each.faults) for each in found.outcomes] == [
        *[(Verdict.QUARANTINED, explained)] * MAX_FAULTS,
        *[(Verdict.QUARANTINED, unexplained)] * 2,
    ]
    assert (found.rows, len(found.quarantined)) == ((), MAX_FAULTS + 2)


async def test_items_that_become_many_times_what_the_body_may_be_are_refused() -> None:
    submission = Submission((), tuple(item(None, name="n" * 100) for _ in range(100)))
    with pytest.raises(Refusal) as refused:
        await classifier(body_cap=100).classify(REQUEST, submission, str, lambda: 0.0)

    assert (refused.value.reason, refused.value.detail) == (Reason.TOO_LARGE, {"limit": 1600})


@attrs.define
class Clock:
    """A monotonic clock that goes on by `step` seconds each time it is read."""

    step: float
    now: float = 0.0
    reads: int = 0

    def __call__(self) -> float:
        self.now += self.step
        self.reads += 1
        return self.now


async def turns(items: int, clock: Clock) -> int:
    """Return how many turns another task had while a submission of so many items was classified."""
    submission = Submission((), tuple(item(None, name="n") for _ in range(items)))
    task = asyncio.create_task(classifier().classify(REQUEST, submission, str, clock))
    had = -1  # one before the task begins
    while not task.done():
        had += 1
        await asyncio.sleep(0)
    await task
    return had


async def test_a_submission_of_few_items_neither_looks_at_the_clock_nor_waits() -> None:
    clock = Clock(step=1.0)

    assert (await turns(ITEMS_AT_ONCE, clock), clock.reads) == (0, 0)


async def test_a_long_submission_goes_on_while_its_turn_lasts() -> None:
    assert await turns(20 * ITEMS_AT_ONCE, Clock(step=0.0)) == 0


async def test_a_long_submission_lets_others_have_their_turn_each_time_that_its_own_is_over() -> None:
    assert await turns(20 * ITEMS_AT_ONCE, Clock(step=MAX_HOLD)) == 18


def event_of(line: object) -> Any:
    """Return what a line says of an event."""
    assert isinstance(line, LineWithFiles)
    return orjson.loads(line.line)


async def test_half_a_character_in_text_is_mended_and_its_place_is_noted() -> None:
    cut = item("a", name="ab \ud83d", user="u\ufffd")
    found = await classified(item("b", name="whole"), cut)

    whole = attrs.evolve(cut, payload={"name": "ab \ufffd", "user": "u\ufffd"})
    assert found.submission.items == (item("b", name="whole"), whole)
    assert [outcome.verdict for outcome in found.outcomes] == [Verdict.STORED, Verdict.STORED]
    stored = orjson.loads(found.rows[1].body)
    assert (stored["name"], stored["user_id"], stored["context"]) == (
        "ab \ufffd",
        "u\ufffd",
        {"acme": {"mended": ["/name"]}},
    )


@pytest.mark.parametrize(
    ("cut", "pointer"),
    [
        (item("a\ud83d", name="n", x=["a\ud83d"], id="a\ud83d"), "/id"),
        (item("a", name="u\ud83d", user="u\ud83d"), "/user"),
        (item("a", name="u\ud83d", user="\ud83e", other="\ufffd"), "/user"),
    ],
    ids=["the message id", "a user beside a text that is the same", "a user that U+FFFD alone does not tell"],
)
async def test_half_a_character_in_an_identifier_makes_its_item_unfit(cut: Item, pointer: str) -> None:
    found = await classified(cut)

    assert found.outcomes == (Outcome(Verdict.QUARANTINED, str(cut.message_id), (Fault("lone_surrogate", pointer),)),)
    assert found.rows == ()


def test_a_mended_file_and_its_event_stay_together() -> None:
    line = classifier().event_line(item("a", name="\ud83d", files=["f"]), "a")
    assert isinstance(line, LineWithFiles)
    assert line.files == (Blob(hashlib.sha256(b"f").hexdigest(), b"f"),)
    assert event_of(line)["name"] == "\ufffd"


def test_what_all_items_share_is_mended_once_and_noted_in_each() -> None:
    each = classifier(context={"page": {"title": "\ud83d"}})
    lines = [each.event_line(item(None, name="n"), "1"), each.event_line(item(None, name="\ud83d"), "2")]
    assert [event_of(line)["context"] for line in lines] == [
        {"page": {"title": "\ufffd"}, "acme": {"mended": ["/page/title"]}},
        {"page": {"title": "\ufffd"}, "acme": {"mended": ["/name", "/page/title"]}},
    ]


def test_an_item_is_mended_although_no_faults_are_left_to_explain() -> None:
    each = classifier()
    for _ in range(MAX_FAULTS + 1):
        assert isinstance(each.event_line(item(None), "1"), NotStored)
    assert event_of(each.event_line(item(None, name="\ud83d"), "1"))["context"] == {"acme": {"mended": ["/name"]}}


def test_an_item_with_too_many_halves_is_unfit_and_has_few_faults() -> None:
    line = classifier().event_line(item("a", name=["\ud83d"] * 200_000), "a")
    assert line == NotStored(tuple([Fault("lone_surrogate", f"/name/{index}") for index in range(MAX_FAULTS)]))


async def test_events_that_are_not_stored_use_up_the_room_of_their_request_too() -> None:
    context = {f"k{number}": "x" * 100 for number in range(1000)}
    submission = Submission((), tuple([item(None, name="n", by="a bot")] * 500))
    with pytest.raises(Refusal) as refused:
        await classifier(body_cap=100_000, context=context).classify(REQUEST, submission, str, lambda: 0.0)
    assert refused.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("body", "sent", "is_elsewhere"),
    [
        (b"{}", [item(None, name="a"), item(None, nothing=1)], False),
        (b" " * LARGE_BODY, [item(None, name="a"), item(None, name="b")], False),
        (b" " * LARGE_BODY, [item(None, nothing=1), item(None, name="b")], True),
        (b'"\\ud83d' + b" " * LARGE_BODY, [item(None, name="a"), item(None, name="b")], True),
        (b"9" * LARGE_BODY, [item(None, name="a"), item(None, name="b")], True),
        (b"{}", [item(None, nothing=1)] * MANY_ITEMS, True),
    ],
)
async def test_what_is_unusual_in_a_large_body_leaves_the_event_loop(
    body: bytes, sent: list[Item], is_elsewhere: bool
) -> None:
    threads: list[bool] = []

    def new_id(index: int) -> str:
        threads.append(threading.current_thread() is not threading.main_thread())
        return f"new-{index}"

    submission = Submission((), tuple(sent))
    request = attrs.evolve(REQUEST, body=body)
    found = await classifier().classify(request, submission, new_id, lambda: 0.0)
    assert [outcome.message_id for outcome in found.outcomes] == [f"new-{index}" for index in range(len(sent))]
    assert threads[-1] is is_elsewhere
