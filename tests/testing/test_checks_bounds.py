"""The checks of what a dialect takes beside memory: one that only computes, and in time, passes."""

import contextlib
import functools
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import Accepted, Event, Item, Received, Request, Response, Submission
from gateway.testing import Failure, dialect_checks
from gateway.testing.check import Check, Cost
from gateway.testing.dialect import suite
from gateway.testing.limit import cpu
from tests.testing import small
from tests.testing.checking import failure, kept, place
from tests.testing.small import subject_of, with_route

CASE = "POST /small-api/v1/event of an_event_is_stored"
EVENTS = "POST /small-api/v1/events of events_are_stored"
ONE_WAY = (
    "\n  To do: rewrite the regular expression so that a text has one way to match it: no repetition within a"
    " repetition, as (a+)*; or cut the text before you match it"
)
QUICK, LONG = "time/no text takes long", "time/a text of 100,000 characters takes no second"
MANY = "time/ten times the items take ten times as long"
TOUCHED, HELD = (
    "purity/no file, socket, thread or process is touched, and nothing sleeps",
    "purity/nothing is held of what came",
)


def translating(first: Callable[[Any], object]) -> Any:
    """Return a dialect whose route `event` does something with a payload before it translates it."""

    def translate(item: Item, message_id: str, received: Received) -> Event:
        first(item.payload)
        return small.translate(item, message_id, received)

    return with_route("event", translate=translate)


def test_a_good_dialect_takes_no_time_and_touches_nothing(tmp_path: Path) -> None:
    subject = subject_of(tmp_path)
    assert kept(subject, "time") == [QUICK, LONG, MANY]
    assert kept(subject, "purity")[-2:] == [TOUCHED, HELD]


def test_an_expression_that_tries_every_way_is_named_with_its_line_and_the_place(tmp_path: Path) -> None:
    def match(payload: Any) -> None:
        re.match(r"^(\w+\s?)*$", payload["name"])

    assert str(failure(subject_of(tmp_path, translating(match)), QUICK)) == (
        f"{CASE} with 'a' 40 times as /name of the body: it took more than 1 second of CPU time {place(match, 1)}"
        f"{ONE_WAY}"
    )


def test_an_expression_over_a_credential_is_named(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        re.match(r"^([a-z0-9]+_?)+$", request.headers.get("x-small-key", ""))
        return small.parse_event(request)

    assert str(failure(subject_of(tmp_path, with_route("event", parse=parse)), QUICK)) == (
        f"{CASE} with 'a' 40 times as a credential: it took more than 1 second of CPU time {place(parse, 1)}{ONE_WAY}"
    )


def test_an_expression_that_a_dialect_keeps_on_trying_is_named_all_the_same(tmp_path: Path) -> None:
    def match(payload: Any) -> None:
        with contextlib.suppress(BaseException):
            re.match(r"^(\w+\s?)*$", payload["name"])
        re.match(r"^(\w+\s?)*$", payload["name"])

    assert place(match, 3) in str(failure(subject_of(tmp_path, translating(match)), QUICK))


def test_what_looks_at_a_long_text_again_and_again_is_named(tmp_path: Path) -> None:
    def look(payload: Any) -> None:
        for end in range(len(payload["name"])):
            payload["name"][:end][::-1]

    assert str(failure(subject_of(tmp_path, translating(look)), LONG)) == (
        f"{CASE} with 100,000 characters as /name of the body: it took more than 1 second of CPU time {place(look, 2)}"
        f"{ONE_WAY}"
    )


def test_a_pattern_of_a_schema_that_tries_every_way_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "slow_schemas"
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    schema = json.loads((Path(small.__file__).parent / "small_schemas" / "event.json").read_text("utf-8"))
    schema["properties"]["user"]["pattern"] = r"^u-([a-z0-9-]+\.?)+$"
    (package / "event.json").write_text(json.dumps(schema), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    dialect = attrs.evolve(small.DIALECT, schemas="slow_schemas")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    assert str(failure(subject_of(corpus, dialect), "time/no text takes long in a pattern of event")) == (
        r"the pattern ^u-([a-z0-9-]+\.?)+$ of event.json, and 'u-' 40 times: it took more than 1 second of"
        f" CPU time{ONE_WAY}"
    )


def test_a_parse_that_looks_at_all_items_for_each_is_named(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        read = small.parse_events(request)
        known: list[str] = []
        for item in read.items[::2]:
            if item.message_id and item.message_id not in known:
                known.append(item.message_id)
        return read

    found = str(failure(subject_of(tmp_path, with_route("events", parse=parse)), MANY))
    assert re.sub(r"\d+ times|more than 10 seconds of CPU time .*", "N times", found, count=1) == (
        f"{EVENTS} with 20000 items took N times as long as with 2000 to be parsed and answered"
        "\n  To do: look at each item once in `parse` and `render`: whether one is known, a set tells, and a list does"
        " not"
    )


COMPUTE = (
    "\n  To do: have it compute its result from what it is given, and nothing else: all other requests wait for it, in"
    " one thread. What it needs of a file is read when the module is imported"
)


def sleeping(_payload: object) -> None:
    time.sleep(0.05)


def writing(_payload: object) -> None:
    with contextlib.suppress(Exception):
        Path("/dev/null").write_text("seen", "utf-8")


def starting_a_thread(_payload: object) -> None:
    threading.Thread(target=int).start()


def starting_a_process(_payload: object) -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (sleeping, "sleeps"),
        (writing, "opens a file"),
        (starting_a_thread, "starts a thread"),
        (starting_a_process, "starts a process"),
    ],
)
def test_what_a_translate_does_beside_is_named(tmp_path: Path, act: Callable[[Any], None], what: str) -> None:
    line = 2 if act is writing else 1
    assert str(failure(subject_of(tmp_path, translating(act)), TOUCHED)) == (
        f"{CASE}: `translate` {what} {place(act, line)}{COMPUTE}"
    )


def test_what_a_parse_and_a_render_do_beside_is_named(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        sleeping(None)
        return small.parse_event(request)

    def render(accepted: Accepted) -> Response:
        sleeping(None)
        return small.render(accepted)

    for name, function in (("parse", parse), ("render", render)):
        found = failure(subject_of(tmp_path, with_route("event", **{name: function})), TOUCHED)
        assert found.wrong == f"{CASE}: `{name}` sleeps {place(sleeping, 1)}"


SEEN: dict[str, object] = {}
NOTHING = (
    "\n  To do: hold nothing between two requests, in no cache without a bound and none of long texts: translate what"
    " comes each time anew"
)


@functools.cache
def unbounded(text: str) -> str:
    return text


@functools.lru_cache(maxsize=16)
def bounded(text: str) -> str:
    return text


def remembering(payload: Any) -> None:
    SEEN[payload["name"]] = payload


def test_what_is_held_of_what_came_is_named(tmp_path: Path) -> None:
    for first, name in (
        (remembering, "tests.testing.test_checks_bounds.SEEN"),
        (lambda payload: unbounded(payload["name"]), "tests.testing.test_checks_bounds.unbounded"),
        (lambda payload: bounded(payload["name"]), "tests.testing.test_checks_bounds.bounded"),
    ):
        assert str(failure(subject_of(tmp_path, translating(first)), HELD)) == (
            f"{CASE}, sent 40 times with other values: {name} took up 40 new entries{NOTHING}"
        )


def test_a_bounded_cache_of_short_texts_may_stay(tmp_path: Path) -> None:
    def first(payload: Any) -> None:
        if len(payload["name"]) < 12:
            bounded(payload["name"])

    assert HELD in kept(subject_of(tmp_path, translating(first)), "purity")


def test_a_check_that_does_not_end_is_stopped_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def match() -> None:
        re.match(r"^(a+)*$", "a" * 60 + "!")

    def wait() -> None:
        threading.Event().wait()

    monkeypatch.setattr("gateway.testing.limit.CPU_OF_A_CHECK", 0.5)
    monkeypatch.setattr("gateway.testing.limit.WALL_OF_A_CHECK", 1.0)
    for function in (match, wait):
        check = Check("a/b", function, Cost.PURE)
        with pytest.raises(Failure) as caught:
            suite.in_its_time(check)
        assert caught.value.remedy == "have it end: a function of a dialect takes milliseconds, and waits for nothing"
        assert str(caught.value) == (
            f"it was stopped after 0.5 seconds of work, or 1 seconds of waiting {place(function, 1)}"
            "\n  To do: have it end: a function of a dialect takes milliseconds, and waits for nothing"
        )


def test_a_dialect_whose_parse_never_ends_is_stopped_before_there_is_a_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(_request: Request) -> Submission:
        threading.Event().wait()
        return Submission()

    monkeypatch.setattr("gateway.testing.limit.WALL_OF_A_CHECK", 0.5)
    with pytest.raises(Failure) as caught:
        subject_of(tmp_path, with_route("event", parse=parse))
    assert str(caught.value) == (
        f"it was stopped after 60 seconds of work, or 0.5 seconds of waiting {place(parse, 1)}"
        "\n  To do: have it end: a function of a dialect takes milliseconds, and waits for nothing"
    )


def test_outside_of_the_main_thread_no_time_is_bounded_and_that_is_said() -> None:
    found: list[str] = []

    def run() -> None:
        try:
            with cpu(1.0):
                pass
        except Failure as problem:
            found.append(str(problem))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [
        "the time that a dialect takes can be bounded in the main thread only, and this check runs in another one"
        "\n  To do: run the checks in the main thread, as pytest and `gateway dialects check` do"
    ]


def test_each_check_of_a_suite_is_bounded(tmp_path: Path) -> None:
    assert all(check.run.func is suite.in_its_time for check in dialect_checks(subject_of(tmp_path)))  # type: ignore[attr-defined]
