"""`docs/dialect-contract.md`: its tables of classes, reasons, functions and limits are those of the code."""

import enum
import gzip
import inspect
import math
import re
from typing import Any

import attrs
import pytest

import gateway.dialect
from gateway.config import LimitSettings
from gateway.dialect import (
    MAX_ITEMS,
    MAX_VALUES,
    Accepted,
    Credential,
    CredentialKind,
    Dialect,
    Fault,
    Item,
    Quota,
    Reason,
    Received,
    Refusal,
    Request,
    Response,
    Route,
    StorageUnavailable,
    Submission,
    bounded,
    json_or_fault,
)
from gateway.testing import CorpusCredential, Gate, SentRequest
from tests.docs.readme import ROOT, code, section

PAGE = (ROOT / "docs" / "dialect-contract.md").read_text("utf-8")
CLASSES = {part.partition("\n")[0]: part for part in section("Classes", PAGE).split("\n### ")[1:]}
REASONS = section("Reasons", PAGE)
CLASSES_NOW = {name: getattr(gateway.dialect, name) for name in (*CLASSES, "OnInvalid")}
FUNCTIONS = section("Functions and limits", PAGE)


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables of a text, heads apart; `\\|` is no end of a cell."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line[1:-1])] for line in lines]


def shown_type(given: Any) -> str:
    """Return a type as the page writes it: without modules."""
    if isinstance(given, type) and not hasattr(given, "__origin__"):
        return given.__name__
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", str(given))


def shown_default(field: "attrs.Attribute[object]") -> str:
    """Return what a field is that is left out, as the page writes it."""
    value = field.default
    if value is attrs.NOTHING:
        return "required"
    factory = getattr(value, "factory", None)  # of a default that is made anew for each
    if factory is not None:
        return f"`{factory()!r}`"
    if isinstance(value, enum.Enum):
        return f"`{value}`"
    if inspect.isfunction(value):
        return f"`{value.__name__.strip('_')}`"
    return f"`{type(value).__name__}()`" if attrs.has(type(value)) else f"`{value!r}`"


# Classes


def test_every_class_of_the_contract_has_its_table() -> None:
    names = [name for name in gateway.dialect.__all__ if attrs.has(getattr(gateway.dialect, name))]
    there = {getattr(gateway.dialect, name).__name__ for name in names}
    assert set(CLASSES) == there - {"Unkept"}  # which only decode makes


@pytest.mark.parametrize("name", CLASSES)
def test_the_fields_of_a_class_their_types_and_defaults_are_those_of_the_code(name: str) -> None:
    fields = attrs.fields(getattr(gateway.dialect, name))
    there = [[f"`{field.name}`", f"`{shown_type(field.type)}`", shown_default(field)] for field in fields]
    assert [row[:3] for row in rows(CLASSES[name])] == there


@pytest.mark.parametrize("name", CLASSES)
def test_every_field_has_a_meaning(name: str) -> None:
    assert [row[0] for row in rows(CLASSES[name]) if len(row) != 4 or not row[3].endswith(".")] == []


# Reasons


def test_every_reason_has_its_row_with_word_status_and_whether_a_retry_helps() -> None:
    there = [
        [f"`{each.name}`", f"`{each.value}`", str(each.status), "yes" if each.retryable else "no"] for each in Reason
    ]
    assert [row[:4] for row in rows(REASONS)] == there


def parse(request: Request) -> Submission:
    """Read what the query says: `key` and `site` are credentials, `named` is an item's site."""
    query = request.query
    if "bug" in query:
        raise KeyError("bug")
    body, fault = json_or_fault(request.body)
    if isinstance(body, list):
        bounded(body)
    shown = [Credential(kind, query[kind]) for kind in ("key", "site") if kind in query]
    item = Item("item", "none", body, site=query.get("named"), fault=Fault("bad") if "bad" in query else None)
    return Submission(tuple(shown), (item,) if "bad" in query or "named" in query else (), fault)


def translate(_item: Item, _message_id: str, _received: Received) -> Fault:
    return Fault("never")  # no item of these requests gets so far


KINDS = (
    CredentialKind("key", "{token}"),
    CredentialKind("site", "{uuid}", public=True, is_site=True, needs_origin=True),
)
CREDENTIALS = (
    CorpusCredential("key", "good"),
    CorpusCredential("key", "revoked", revoked=True),
    CorpusCredential("key", "scopeless", scopes=()),
    CorpusCredential("site", "bound", origins=("shop.example",)),
    CorpusCredential("site", "foreign", "another project"),
)
GOOD = "/any?key=good"
ONE_REQUEST = LimitSettings(requests=1, seconds=60)


def sent(target: str, body: bytes = b"{}", method: str = "POST", **headers: str) -> SentRequest:
    return SentRequest(method, target, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def provoked() -> list[Refusal]:
    """Return refusals of a gateway, of every reason but a body that does not arrive in time."""
    found: list[Refusal] = []

    def refuse(_request: Request, refusal: Refusal) -> Response:
        found.append(refusal)
        return Response(refusal.reason.status)

    route = Route("any", ("/any",), parse, translate, lambda _accepted: Response(200), scope="write")
    dialect = Dialect("any", "Any", "tests.docs", ("/",), KINDS, (route,), "", "", refuse, scopes=("write",))
    gate = Gate.of(dialect, CREDENTIALS)
    gate.send(sent("/nowhere"), sent("/any", method="PUT"), sent("/any"), sent(GOOD, b"{"), sent(f"{GOOD}&bad="))
    gate.send(sent(GOOD, gzip.compress(bytes(dialect.body_cap + 1)), Content_Encoding="gzip"))
    gate.send(sent(GOOD, b"[%b0]" % (b"0," * MAX_ITEMS)), sent(GOOD, b"[%b0]" % (b"0," * MAX_VALUES)))
    gate.send(sent(GOOD, Content_Encoding="br"), sent(GOOD, Idempotency_Key=""), sent(f"{GOOD}&bug="))
    gate.send(*(sent(f"/any?key={key}") for key in ("unknown", "revoked", "scopeless")))
    gate.send(sent("/any?site=bound"), sent(f"{GOOD}&site=foreign"), sent(f"{GOOD}&named=unknown"))
    gate.send(sent(GOOD, Idempotency_Key="one"), sent(GOOD, b"[]", Idempotency_Key="one"))
    gate.storage.failure = StorageUnavailable("the disk is full")
    gate.send(sent(GOOD))
    Gate.of(dialect, CREDENTIALS, limit=ONE_REQUEST).send(sent(GOOD), sent(GOOD))
    return found


def test_the_facts_of_each_reason_are_those_that_a_gateway_gives() -> None:
    given: dict[str, set[str]] = {Reason.TIMEOUT.name: set()}
    for refusal in provoked():
        given.setdefault(refusal.reason.name, set()).update(refusal.detail)
    assert {code(row[0])[0]: set(code(row[5])) for row in rows(REASONS)} == given


# Functions and limits


def test_every_function_and_limit_of_the_contract_has_its_row() -> None:
    there = {name: getattr(gateway.dialect, name) for name in gateway.dialect.__all__}
    functions = {name for name, value in there.items() if inspect.isfunction(value)}
    limits = {name: f"{value:,}" for name, value in there.items() if isinstance(value, int)}
    del limits["MOST_ITEMS"]  # the name of before 0.2
    named = rows(FUNCTIONS)
    assert {row[0].strip("`").partition("(")[0] for row in named if len(row) == 2} == functions
    assert {row[0].strip("`"): row[1] for row in named if len(row) == 3} == limits


def test_every_name_of_the_contract_is_on_the_page() -> None:
    named = {word for text in code(PAGE) for word in re.findall(r"\w+", text)} | set(CLASSES)
    assert [name for name in gateway.dialect.__all__ if name not in named] == []


def test_a_name_from_before_is_listed_with_the_one_that_it_has_now() -> None:
    listed = dict(re.findall(r"`(\w+)` \(`(\w+)`\)", section("Other names", PAGE)))
    assert {old: getattr(gateway.dialect, old) for old in listed} == {
        old: getattr(gateway.dialect, new) for old, new in listed.items()
    }
    renamed = [name for name in gateway.dialect.__all__ if getattr(gateway.dialect, name) in CLASSES_NOW.values()]
    assert set(listed) - {"MOST_ITEMS"} == set(renamed) - set(CLASSES_NOW)


def test_the_seconds_to_a_reset_are_those_of_the_window() -> None:
    quotas: list[tuple[int, Quota | None]] = []

    def render(accepted: Accepted) -> Response:
        quotas.append((accepted.request.received_at, accepted.quota))
        return Response(200)

    route = Route("any", ("/any",), parse, translate, render)
    dialect = Dialect("any", "Any", "tests.docs", ("/",), KINDS, (route,), "", "")
    Gate.of(dialect, CREDENTIALS, limit=ONE_REQUEST).send(sent(GOOD))
    [(received_at, quota)] = quotas
    [formula] = [text for text in code(CLASSES["Quota"]) if "received_at" in text]
    assert quota is not None
    request = Request("POST", "/any", {}, {}, b"", received_at)
    assert eval(formula, {"math": math, "reset": quota.reset, "request": request}) == ONE_REQUEST.seconds


def test_the_arguments_of_the_functions_are_named_as_in_the_code() -> None:
    for row in rows(FUNCTIONS):
        name, _, shown = row[0].strip("`)").partition("(")
        if len(row) == 2:
            function = getattr(gateway.dialect, name)
            assert list(inspect.signature(function).parameters)[: len(shown.split(", "))] == shown.split(", ")
