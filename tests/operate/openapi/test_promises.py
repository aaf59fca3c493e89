"""What the documents promise is so: examples are accepted, credentials work in each place, answers have their shape."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import attrs
import jsonschema
import pytest

from gateway.app import build_handler
from gateway.config import Config
from gateway.dialect import CredentialPlace, Response, Route
from gateway.http.handler import RequestHead
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.operate.openapi import samples, security
from gateway.testing.memory import MemoryStorage
from tests.operate.openapi.documents import DIALECTS, DOCUMENTS, INSTALLED, NAMES, operations

SALT = b"a salt for tests"
ROUTES = [(name, route) for name in NAMES for route in INSTALLED[name].routes]
IDS = [f"{name}-{route.name}" for name, route in ROUTES]


@attrs.frozen
class Call:
    """A request of a document, as a client makes it."""

    path: str
    query: str = ""
    headers: dict[str, str] = attrs.field(factory=dict)
    body: bytes = b""


def keyring(values: dict[tuple[str, str], str]) -> Keyring:
    """Return a keyring with one credential of each kind of each dialect, with all scopes."""
    grants = {}
    for dialect in DIALECTS:
        for kind in dialect.kinds:
            value = kind.normalize(values[dialect.name, kind.name])
            grants[digest(SALT, dialect.name, kind.name, value)] = Grant(
                id=f"{dialect.name}-{kind.name}",
                project="default",
                dialect=dialect.name,
                kind=kind.name,
                scopes=frozenset(dialect.scopes),
                origins=(),
                revoked=False,
            )
    return Keyring(SALT, grants)


VALUES = {(dialect.name, kind.name): f"{kind.name}-of-{dialect.name}" for dialect in DIALECTS for kind in dialect.kinds}
NUMBERS = itertools.count(1)
STORAGE = MemoryStorage()
HANDLER = build_handler(
    Config(),
    DIALECTS,
    STORAGE,
    keyring(VALUES),
    clock=lambda: samples.TIME,
    new_id=lambda _now: f"00000000-0000-7000-8000-{next(NUMBERS):012d}",
)


async def sent(method: str, call: Call) -> Response:
    head = RequestHead(method, call.path, call.query, {"host": "collect.example", **call.headers})
    return await HANDLER.route(head).answer(call.body)


def calls(name: str, route: Route, example: object) -> Iterator[tuple[CredentialPlace, Call]]:
    """Yield an example of a route with a credential in each of its places, and in no other one."""
    path = f"/{name}{(*route.paths, *route.mount_only_paths)[0]}"
    for kind, places in security.places_of(INSTALLED[name].dialect, route).items():
        for place in places:
            value, query = VALUES[name, kind], dict(example) if route.method == "GET" else {}  # type: ignore[call-overload]
            body: Any = example
            headers = {}
            if place.where == "header":
                headers[place.name.lower()] = f"{place.scheme} {value}" if place.scheme else value
            elif place.where == "query":
                query[place.name] = value
            elif isinstance(example, list):
                body = [{**example[0], place.name: value}, *example[1:]]
            else:
                body = {**body, place.name: value}
            text = "&".join(f"{each}={query[each]}" for each in query)
            yield place, Call(path, text, headers, b"" if route.method == "GET" else json.dumps(body).encode())


@pytest.mark.parametrize(("name", "route"), ROUTES, ids=IDS)
async def test_each_example_is_accepted_with_a_credential_in_each_place_and_answered_as_the_document_says(
    name: str, route: Route
) -> None:
    assert route.description is not None
    path = (*route.paths, *route.mount_only_paths)[0]
    operation = DOCUMENTS[name]["paths"][path][route.method.lower()]
    [status] = [each for each in operation["responses"] if each.startswith("2")]
    assert route.description.examples
    for example in route.description.examples.values():
        found = list(calls(name, route, example))
        assert found
        for place, call in found:
            STORAGE.entries.clear()
            answer = await sent(route.method, call)
            stored = sum(len(entry.rows) for entry in STORAGE.entries)
            assert (place, str(answer.status), stored > 0) == (place, status, True)
            check_answer(name, operation, answer)
        if route.name != "pixel":  # an image whatever is wrong, so that nobody is told
            unknown = attrs.evolve(found[0][1], query="", headers={}, body=json.dumps(example).encode())
            assert (await sent(route.method, unknown)).status >= 400


def check_answer(name: str, operation: dict[str, Any], answer: Response) -> None:
    """Check an answer against the schema that the document has for it."""
    found = DOCUMENTS[name]
    said = operation["responses"][str(answer.status)]
    said = found["components"]["responses"][said["$ref"].rpartition("/")[2]] if "$ref" in said else said
    if answer.body is None:
        assert "content" not in said
        return
    media = said["content"][answer.content_type.partition(";")[0]]
    if "schema" in media:
        jsonschema.validate(json.loads(answer.body), {**media["schema"], "components": found["components"]})


@pytest.mark.parametrize("name", NAMES)
def test_examples_meet_the_schema_of_their_body(name: str) -> None:
    found = DOCUMENTS[name]
    for _, _, operation in operations(found):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for example in media["examples"].values():
                jsonschema.validate(example["value"], {**media["schema"], "components": found["components"]})
