"""The checks of ids and of the Idempotency-Key, with a dialect that keeps each promise and with others."""

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from gateway.dialect import Accepted, Dialect, Item, Request, Response, Submission, Verdict
from tests.testing import small
from tests.testing.checking import failure, kept

CASE = "POST /small-api/v1/event of an_event_is_stored"
OWN_IDS = (
    "take Item.message_id from a field that the client fills with a new id for each event; an item without one has None"
)


def test_a_good_dialect_keeps_every_promise(tmp_path: Path) -> None:
    assert kept(small.subject_of(tmp_path), "ids") == [
        "ids/an item that comes twice is stored once",
        "ids/an id is the client's own",
        "ids/other ids are other items",
        "ids/ids that differ in the case of a letter are two",
        "ids/ids that differ in a blank at an end are two",
        "ids/ids that differ in the last of 300 characters are two",
        "ids/an id with other content is the same item",
        "ids/equal items without ids are two",
    ]
    assert kept(small.subject_of(tmp_path), "idempotency") == [
        "idempotency/a retry gets the first answer",
        "idempotency/a retry at another time gets the first answer",
        "idempotency/other content under the same key is a conflict",
        "idempotency/a malformed key is refused",
        "idempotency/an error is not remembered",
    ]


def with_id(read: Submission, message_id: str) -> Submission:
    return attrs.evolve(read, items=tuple([attrs.evolve(item, message_id=message_id) for item in read.items]))


def counting() -> Dialect:
    """Return a dialect that numbers requests, and takes the number as an id."""
    numbers = itertools.count()

    def parse(request: Request) -> Submission:
        return with_id(small.parse_event(request), str(next(numbers)))

    return small.with_route("event", parse=parse)


def test_an_id_that_parse_makes_is_told(tmp_path: Path) -> None:
    said = failure(small.subject_of(tmp_path, counting()), "ids/an item that comes twice is stored once")
    assert said.wrong == f"{CASE}, sent twice, became 2 events, not 1: its items have ids"
    assert said.remedy == "have `parse` give the same Item.message_id and Item.kind for the same request"


def once_only(accepted: Accepted) -> Response:
    is_new = accepted.outcomes[0].verdict is Verdict.STORED
    return small.json_response(202 if is_new else 409, {"new": is_new})


def test_an_error_for_a_duplicate_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", render=once_only)
    said = failure(small.subject_of(tmp_path, dialect), "ids/an item that comes twice is stored once")
    assert said.wrong == f"{CASE} was answered 202, and the same once more 409"
    assert said.remedy == "answer a Verdict of DUPLICATE in `render` like STORED: the client has done all that it can"


def by_content(request: Request) -> Submission:
    return with_id(small.parse_event(request), hashlib.sha256(request.body).hexdigest()[:8])


def test_an_id_of_an_items_content_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", parse=by_content)
    said = failure(small.subject_of(tmp_path, dialect), "ids/an id is the client's own")
    assert said.wrong == (
        f"{CASE}: `parse` gives item 0 the message_id '6015f8ed', which nobody sent and which changes with the content"
    )
    assert said.remedy == f"{OWN_IDS}: two equal events are two, so an id is never made of an item's content"


def cut(item: Item) -> Item:
    return attrs.evolve(item, message_id=item.message_id and item.message_id[:3])


def with_short_ids(request: Request) -> Submission:
    read = small.parse_events(request)
    return attrs.evolve(read, items=tuple([cut(item) for item in read.items]))


def test_an_id_that_is_cut_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("events", parse=with_short_ids)
    said = failure(small.subject_of(tmp_path, dialect), "ids/other ids are other items")
    assert said.wrong == (
        "POST /small-api/v1/events of events_are_stored, sent once more with other ids, became 2 events, not 4"
    )
    assert said.remedy == f"{OWN_IDS}, and its whole value as it was sent"


def with_small_ids(request: Request) -> Submission:
    read = small.parse_events(request)
    items = [attrs.evolve(item, message_id=item.message_id and item.message_id.lower()) for item in read.items]
    return attrs.evolve(read, items=tuple(items))


def test_an_id_in_small_letters_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("events", parse=with_small_ids)
    name = "ids/ids that differ in the case of a letter are two"
    said = failure(small.subject_of(tmp_path, dialect), name)
    assert said.wrong == (
        "POST /small-api/v1/events of events_are_stored, sent once more with the case of a letter changed, became 2"
        " events, not 4"
    )
    assert said.remedy == f"{OWN_IDS}, and its whole value as it was sent"


def test_an_answer_that_is_never_the_same_is_told(tmp_path: Path) -> None:
    numbers = itertools.count()
    dialect = small.with_route("event", render=lambda _accepted: small.json_response(202, next(numbers)))
    case = small.subject_of(tmp_path, dialect)
    first = int(case.samples[0].answer.body)
    said = failure(case, "idempotency/a retry gets the first answer")
    assert said.wrong == f"{CASE} with an Idempotency-Key was answered 202 {first + 1}, and once more 202 {first + 2}"
    assert said.remedy == (
        "make the answer in `render` of the outcomes alone, without a clock or chance: a retry gets the first answer"
    )


def with_each_id(change: Callable[[str], str]) -> Dialect:
    """Return a dialect that changes the ids of events."""

    def parse(request: Request) -> Submission:
        read = small.parse_event(request)
        return attrs.evolve(read, items=tuple([_changed(item, change) for item in read.items]))

    return small.with_route("event", parse=parse)


def _changed(item: Item, change: Callable[[str], str]) -> Item:
    return attrs.evolve(item, message_id=item.message_id and change(item.message_id))


@pytest.mark.parametrize(
    ("change", "check", "how"),
    [
        (
            str.strip,
            "ids/ids that differ in a blank at an end are two",
            "with a blank before its ids",
        ),
        (
            lambda value: value[:255],
            "ids/ids that differ in the last of 300 characters are two",
            "with ids of more than 300 characters that differ in the last",
        ),
    ],
)
def test_an_id_that_is_not_kept_whole_is_told(
    tmp_path: Path, change: Callable[[str], str], check: str, how: str
) -> None:
    said = failure(small.subject_of(tmp_path, with_each_id(change)), check)
    assert said.wrong == f"{CASE}, sent once more {how}, became 1 events, not 2"
    assert said.remedy == f"{OWN_IDS}, and its whole value as it was sent"


def named_by_content(request: Request) -> Submission:
    read = small.parse_event(request)
    kinds = [str(item.payload.get("name")) if isinstance(item.payload, dict) else "event" for item in read.items]
    return attrs.evolve(
        read, items=tuple([attrs.evolve(item, kind=kind) for item, kind in zip(read.items, kinds, strict=True)])
    )


def test_a_kind_that_changes_with_the_content_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", parse=named_by_content)
    said = failure(small.subject_of(tmp_path, dialect), "ids/an id with other content is the same item")
    assert said.wrong == (
        f'{CASE}, sent once more with the body {{"id":"e-1","name":"paidx","user":"u-1","properties":{{"euros":5}}}},'
        " became 2 events, not 1: its ids are the same"
    )
    assert said.remedy == (
        "give an Item a `kind` that is the same whatever its content is: an id is known only within its kind"
    )


def made_where_none_is(make: Callable[[Request], str]) -> Dialect:
    """Return a dialect that makes an id for an event without one."""

    def parse(request: Request) -> Submission:
        read = small.parse_event(request)
        return read if any(item.message_id for item in read.items) else with_id(read, make(request))

    return small.with_route("event", parse=parse)


def test_an_id_of_the_content_in_the_place_of_a_missing_one_is_told(tmp_path: Path) -> None:
    dialect = made_where_none_is(lambda request: hashlib.sha256(request.body).hexdigest())
    said = failure(small.subject_of(tmp_path, dialect), "ids/equal items without ids are two")
    assert said.wrong == f"{CASE} without its ids, sent twice, was stored 1 times of 2, and it has no ids"
    assert said.remedy == OWN_IDS


def test_a_random_id_in_the_place_of_a_missing_one_is_told(tmp_path: Path) -> None:
    made: list[str] = []

    def random(_request: Request) -> str:
        made.append(f"random-{len(made)}")
        return made[-1]

    said = failure(small.subject_of(tmp_path, made_where_none_is(random)), "ids/an id is the client's own")
    assert said.wrong == (
        f"{CASE} without its ids: `parse` gives item 0 the message_id {made[-3]!a}, which nobody sent and which is"
        " another one the next time"
    )
    assert said.remedy == f"{OWN_IDS}: the gateway makes one"


def with_the_verdict(accepted: Accepted) -> Response:
    return small.json_response(202, [outcome.verdict.value for outcome in accepted.outcomes])


def with_the_time(accepted: Accepted) -> Response:
    return small.json_response(202, accepted.request.received_at)


@pytest.mark.parametrize(
    ("render", "how", "first", "second"),
    [
        (with_the_verdict, "with its ids", '["stored"]', '["duplicate"]'),
        (with_the_time, "with an Idempotency-Key", "1767323045678", "1767323105678"),
    ],
)
def test_another_answer_to_a_retry_is_told(
    tmp_path: Path, render: Callable[[Accepted], Response], how: str, first: str, second: str
) -> None:
    dialect = small.with_route("event", render=render)
    said = failure(small.subject_of(tmp_path, dialect), "idempotency/a retry at another time gets the first answer")
    assert said.wrong == f"{CASE} {how} was answered 202 {first}, and a minute later 202 {second}"
    assert said.remedy == (
        "make the answer in `render` of the outcomes alone, without a clock or chance: a retry gets the first answer,"
        " and a DUPLICATE is answered like what was STORED"
    )
