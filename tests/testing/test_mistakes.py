"""Mistakes that people make in a dialect, one at a time in a new one: the kit names each, and says what to do."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from gateway.dialect import Dialect
from gateway.testing import Failure, dialect_checks, subject
from gateway.testing.scaffold.distribution import write

PACKAGE = "blunder_dialect"
PATH = "/api/blunder/v1/events"
CASE = f"POST {PATH} of an_event_is_stored"
SMALLEST = f"POST {PATH} of an_event_sent_twice_is_stored_once"
EVENT = (  # as a message has it: without what is null or empty
    '{"project":"default","dialect":"blunder","type":"track","name":"signup","message_id":"e-1",'
    '"timestamp":"2026-01-02T03:04:05.678Z","received_at":"2026-01-02T03:04:05.678Z"}'
)


@attrs.frozen
class Mistake:
    """A text of a new dialect's file, and what stands in its place; the check that fails, and all that it says."""

    file: str
    right: str
    wrong: str
    check: str
    says: str


MISTAKES = {
    "the wrong project": Mistake(
        "translate.py",
        'type="track",',
        'type="track",\n        project="blunder",',
        "events/only the gateway says whose it is",
        f"{CASE}: `translate` gives event 0 the project 'blunder', not 'a-project-of-the-kit'"
        "\n  To do: leave project out of the Event: the gateway sets it, whatever a request or a dialect says",
    ),
    "a translate that changes what it is given": Mistake(
        "translate.py",
        "sent = SentEvent.read(item.payload)",
        'sent = SentEvent.read(item.payload)\n    item.payload.pop("url", None)',
        "purity/translate changes nothing that it is given",
        f"{CASE}: `translate` changes payload of item 0"
        "\n  To do: copy before you change: {**fields, ...} makes another object",
    ),
    "a secret that is kept": Mistake(
        "parse.py",
        "context=visitor(request))",
        'context={**visitor(request), "blunder": {"headers": dict(request.headers)}})',
        "secrets/none is kept of an accepted request",
        f"{SMALLEST}: its api_key is in context.blunder.headers.authorization of the event"
        "\n  To do: leave it out of what `translate` returns, and of the unknown fields that are kept",
    ),
    "500 on odd bytes": Mistake(
        "parse.py",
        "body, fault = json_or_fault(request.body)",
        "body, fault = __import__('json').loads(request.body), None",
        "bodies/any bytes are answered",
        f"{SMALLEST} with an empty body was answered 500: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
        " (parse.py:16 in event)"
        "\n  To do: return a Submission from `parse`, or raise Refusal, whatever it is given: look at what a value is"
        " before you use it, and give the submission a Fault if it cannot be read",
    ),
    "a typo in a schema": Mistake(
        "schemas/event.json",
        '"required": ["id", "event"]',
        '"requried": ["id", "event"]',
        "schemas/event has no keyword that is unknown",
        "event.json has 'requried' at /, which JSON Schema does not know and so ignores"
        "\n  To do: correct the spelling; what is a note of your own begins with x-",
    ),
    "a clock in translate": Mistake(
        "translate.py",
        "received.received_at if sent.at is None",
        "from_millis(__import__('time').time_ns() // 1_000_000) if sent.at is None",
        "purity/translate reads no clock",
        f"{SMALLEST}: timestamp of event 0 is of today, and the request arrived on 2026-01-02"
        "\n  To do: take Received.received_at for a time that the client did not send",
    ),
    "an id made by chance": Mistake(
        "parse.py",
        "return sent if isinstance(sent, str) and sent else None",
        "return __import__('uuid').uuid4().hex",
        "ids/an item that comes twice is stored once",
        f"{SMALLEST}, sent twice, became 2 events, not 1: its items have ids"
        "\n  To do: have `parse` give the same Item.message_id and Item.kind for the same request",
    ),
    "the visitor forgotten": Mistake(
        "parse.py",
        ", context=visitor(request))",
        ")",
        "facts/a browser's address and user agent are its visitor's",
        f"{SMALLEST}, sent by a browser from 203.0.113.77 with a User-Agent: context.ip of event 0 is empty, and not"
        " '203.0.113.77'"
        "\n  To do: return visitor(request) of gateway.dialect in Submission.context, and begin the event's context"
        " with Received.context",
    ),
    "unknown fields lost": Mistake(
        "translate.py",
        '        context["blunder"] = {"extra": sent.unknown}',
        "        pass",
        "kept/an unknown member is in the event",
        f"{SMALLEST} with an unknown member in the body was accepted, and the event has 'kit canary' nowhere: {EVENT}"
        "\n  To do: have `translate` keep it: in its canonical place, else under `context.blunder` (`unknown_fields`"
        " gives what you do not know). What is secret belongs in `secret_fields`",
    ),
    "open to anybody": Mistake(
        "credentials.py",
        "key = bearer(request.headers)",
        'key = bearer(request.headers) or "blunder_0123456789abcdef0123456789abcdef0123456789abcdef"',
        "credentials/without one nothing is stored",
        f"{SMALLEST}: whatever is left out of it, `parse` finds a credential"
        "\n  To do: return from `parse` only credentials that the request shows, each under its kind and as it was"
        " sent",
    ),
    "a refusal that fails": Mistake(
        "errors.py",
        'refusal.detail.get("allowed")',
        'refusal.detail["allowed"]',
        "refusals/every reason has an answer",
        f"`refuse` fails on {SMALLEST}, refused for NOT_FOUND without facts by the dialect's `refuse`: KeyError:"
        " 'allowed' (errors.py:14 in refuse)"
        "\n  To do: return a Response from `refuse` for every Refusal; `detail` has only the facts that Reason names",
    ),
    "errors with 200": Mistake(
        "errors.py",
        "return Response(refusal.reason.status,",
        "return Response(200,",
        "refusals/the status says whether to try again",
        f"{SMALLEST}, refused for NOT_FOUND without facts by the dialect's `refuse`, was answered 200, although a retry"
        " cannot help"
        "\n  To do: answer it with 404 or another 4xx. Only a route with method GET and a `refuse` of its own (a pixel)"
        " may answer 2xx to what is wrong for good",
    ),
    "405 without Allow": Mistake(
        "errors.py",
        '{} if allowed is None else {"Allow": str(allowed)}',
        "{}",
        "routing/another method is answered as `refuse` answers it",
        f"DELETE {PATH} was answered 405 with Allow: None, not POST, OPTIONS"
        '\n  To do: have `refuse` return the header `Allow` with `refusal.detail["allowed"]`, or the status that your'
        " vendor answers in place of 405",
    ),
    "a key in the answer": Mistake(
        "errors.py",
        '"error": refusal.reason.value',
        '"error": refusal.reason.value, "key": _request.headers.get("authorization")',
        "secrets/none is kept of a request whose key is unknown",
        f"{SMALLEST}, whose credentials nobody knows: its api_key is in key of the body of the answer"
        "\n  To do: repeat nothing in `render` and `refuse` that was sent as a credential",
    ),
    "a retry answered with an error": Mistake(
        "render.py",
        "[outcome] = accepted.outcomes",
        '[outcome] = [each for each in accepted.outcomes if each.verdict.value == "stored"]',
        "outcomes/every mix of outcomes has an answer",
        f"`render` fails on {SMALLEST}, with the outcomes: duplicate: ValueError: not enough values to unpack (expected"
        " 1, got 0) (render.py:10 in event)"
        "\n  To do: return a Response from `render` for every admitted request, whatever its outcomes are",
    ),
    "a regular expression that tries every way": Mistake(
        "translate.py",
        "sent = SentEvent.read(item.payload)",
        'sent = SentEvent.read(item.payload)\n    __import__("re").match(r"^(\\w+\\s?)*$", sent.event)',
        "time/no text takes long",
        f"{CASE} with 'a' 40 times as /event of the body: it took more than 1 second of CPU time"
        " (translate.py:20 in event)"
        "\n  To do: rewrite the regular expression so that a text has one way to match it: no repetition within a"
        " repetition, as (a+)*; or cut the text before you match it",
    ),
    "a cache": Mistake(
        "translate.py",
        "sent = SentEvent.read(item.payload)",
        'sent = SentEvent.read(item.payload)\n    globals().setdefault("SEEN", {})[sent.event] = sent',
        "purity/nothing is held of what came",
        f"{CASE}, sent 40 times with other values: blunder_dialect.translate.SEEN took up 39 new entries"
        "\n  To do: hold nothing between two requests, in no cache without a bound and none of long texts: translate"
        " what comes each time anew",
    ),
}


@contextmanager
def imported(folder: Path) -> Iterator[Dialect]:
    """Import the dialect of a folder as if there had never been another of its name."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(PACKAGE).dialect
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_what_to_do(name: str, tmp_path: Path) -> None:
    mistake, folder = MISTAKES[name], tmp_path / "blunder-dialect"
    write("blunder", folder, installed=())
    file = folder / PACKAGE / mistake.file
    text = file.read_text("utf-8")
    assert text.count(mistake.right) == 1
    file.write_text(text.replace(mistake.right, mistake.wrong), "utf-8")
    with imported(folder) as dialect:
        checks = dialect_checks(subject("blunder", folder / "tests" / "corpus" / "blunder", dialect, engines=()))
        [check] = [check for check in checks if check.name == mistake.check]
        with pytest.raises(Failure) as caught:
            check.run()
    assert str(caught.value) == mistake.says
