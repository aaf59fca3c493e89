"""What came of a case, and where that is not what the case expects. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from gateway.operate.events.json_diff import json_diff
from gateway.testing.corpus.case import Case
from gateway.testing.corpus.defaults import short_event, short_item
from gateway.testing.corpus.message import Answer, body_of

SHOWN = 300
"""How many characters of a value are shown."""
MOST_PLACES = 5
"""How many places of an event are shown."""


@attrs.frozen
class Outcome:
    """The answer to each step of a case, and what is stored after all of them, as JSON values."""

    answers: Sequence[Answer]
    events: Sequence[Any]
    quarantined: Sequence[Any]


def differences(case: Case, outcome: Outcome) -> list[str]:
    """Return where an outcome is not what a case expects, a line for each; none where all is as it should be."""
    found = _of_answers(case, outcome.answers)
    found += _of_list("event", outcome.events, case.events, lambda event: short_event(event, case.dialect))
    found += _of_list("quarantined item", outcome.quarantined, case.quarantined, short_item)
    return found


def end_alike(case: Case, one: Outcome, other: Outcome) -> bool:
    """Return whether two outcomes differ in the same way from what a case expects, if they do."""
    return (one.events, one.quarantined) == (other.events, other.quarantined) and _of_answers(
        case, one.answers
    ) == _of_answers(case, other.answers)


def shown(value: object) -> str:
    """Return a value as a message shows it: a text as it is, all else as JSON, and what is long cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    printable = "".join([each if each.isprintable() else repr(each)[1:-1] for each in text[:SHOWN]])
    return printable + ("..." if len(text) > SHOWN else "")


def _of_answers(case: Case, answers: Sequence[Answer]) -> list[str]:
    found: list[str] = []
    for number, (step, answer) in enumerate(zip(case.steps, answers, strict=True), 1):
        sent = f"step {number}, {step['request'].get('method', 'POST')} {step['request']['path']}"
        found += [f"{shown(sent)}: {text}" for text in answer_differences(step.get("answer"), answer)]
    return found


def answer_differences(expected: Mapping[str, Any] | None, answer: Answer) -> list[str]:
    """Return where an answer is not as a case expects it, a line for each."""
    if expected is None:
        return ["the case does not say yet how this is answered; --accept writes that, too"]
    found: list[str] = []
    if answer.status != expected["status"]:
        found.append(f"status {answer.status}, expected {expected['status']}")
    if not _same_body(expected, answer.body):
        wanted = expected["json"] if "json" in expected else body_of(expected).decode("utf-8", "backslashreplace")
        found.append(f"body {shown(answer.body.decode('utf-8', 'backslashreplace'))}, expected {shown(wanted)}")
    for name, value in expected.get("headers", {}).items():
        if answer.header(name) != value:
            found.append(f"header {name}: {shown(answer.header(name))}, expected {shown(value)}")
    return found


def _same_body(expected: Mapping[str, Any], body: bytes) -> bool:
    """Compare whole bodies; JSON by value and by the order of its keys."""
    if "json" not in expected:
        return body == body_of(expected)
    try:
        return json.dumps(json.loads(body)) == json.dumps(expected["json"])
    except ValueError:
        return False


def _of_list(what: str, found: Sequence[Any], expected: Sequence[Any], short: Callable[[Any], object]) -> Iterator[str]:
    if len(found) != len(expected):
        yield f"{len(found)} {what}s, expected {len(expected)}"
    for number, (value, wanted) in enumerate(zip(found, expected, strict=False), 1):
        places = list(json_diff(wanted, value))
        for place in places[:MOST_PLACES]:
            now, then = (shown(place[key]) if key in place else "nothing" for key in ("today", "stored"))
            yield f"{what} {number}, {place['pointer'] or 'the whole'}: {now}, expected {then}"
        if len(places) > MOST_PLACES:
            yield f"{what} {number}: {len(places) - MOST_PLACES} more places differ"
    for value in found[len(expected) :][:MOST_PLACES]:
        yield f"{what} that is not expected: {shown(short(value))}"
    for value in expected[len(found) :][:MOST_PLACES]:
        yield f"{what} that is missing: {shown(short(value))}"
