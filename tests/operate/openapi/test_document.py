"""What is in the OpenAPI documents of the installed dialects, and of one that says nothing for its document."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.config import Config, DialectSettings, ServerSettings
from gateway.config.serving import install_enabled, router
from gateway.dialect import Body, CredentialPlace, Refusal, Request, Route
from gateway.ingest.registry import Installed
from gateway.operate.openapi.document import document
from gateway.operate.openapi.schemas import component
from tests.kit.cases import body_of, load
from tests.operate.openapi.documents import DIALECTS, DOCUMENTS, INSTALLED, NAMES, URL, made, operations, statuses


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_openapi_3_1(name: str) -> None:
    OpenAPIV31SpecValidator(DOCUMENTS[name]).validate()


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_in_a_document_is_whole_by_itself(name: str) -> None:
    found = DOCUMENTS[name]
    for target in references(found):
        step: Any = found
        assert target.startswith("#/")
        for part in target[2:].split("/"):
            step = step[part.replace("~1", "/").replace("~0", "~")]
        assert isinstance(step, dict)
    ids = [operation["operationId"] for _, _, operation in operations(found)]
    assert len(ids) == len(set(ids))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("name", NAMES)
def test_a_document_has_every_path_with_the_statuses_that_every_route_can_have(name: str) -> None:
    found = statuses(name)
    paths = {f"{route.method} {path}" for route in INSTALLED[name].routes for path in route.paths}
    assert paths - found.keys() == set()
    assert [where for where, codes in found.items() if not codes] == []


def test_a_path_that_another_dialect_answers_at_the_root_has_the_mount_as_its_server() -> None:
    mount = {"url": f"{URL}/appizer", "description": "All of this dialect, whatever others claim."}
    found = DOCUMENTS["appizer"]
    assert [server["url"] for server in found["servers"]] == [URL, f"{URL}/appizer"]
    assert {path: item.get("servers") for path, item in found["paths"].items() if "events" in path} == {
        "/v1/events": None,
        "/events": [mount],
        "/v1/events/batch": None,
        "/events/batch": [mount],
        "/v1/events/track": None,
        "/events/track": [mount],
    }
    twins = [attrs.evolve(DIALECTS[0], name=name) for name in ("one", "two")]
    settings = Config(server=ServerSettings(root_order=("two",)))
    installed = install_enabled(settings, twins)
    one, two = (document(each, router(settings, installed), URL) for each in installed)
    assert all("servers" in item for item in one["paths"].values())
    assert [server["url"] for server in one["servers"]] == [f"{URL}/one"]
    assert "servers" not in two["paths"]["/v1/events"]


def test_the_configuration_decides_servers_and_sizes() -> None:
    settings = Config(
        hosts={"in.shop.example": "browsee"},
        dialects={"browsee": DialectSettings(root=False, body_limit_bytes=1000)},
    )
    found = made(settings)["browsee"]
    assert [server["url"] for server in found["servers"]] == [f"{URL}/browsee", "https://in.shop.example"]
    assert found["paths"]["/api/v1/track"]["post"]["requestBody"]["description"].startswith("At most 1000 bytes")


@pytest.mark.parametrize("name", NAMES)
def test_routes_say_the_schemas_that_the_items_of_the_corpus_have(name: str) -> None:
    installed = INSTALLED[name]
    found: dict[str, set[str]] = {route.name: set() for route in installed.routes}
    match = router(Config(), INSTALLED.values()).match
    for case in load():
        for step in case.document["steps"] if case.dialect == name else ():
            method, path = step["request"].get("method", "POST"), step["request"]["path"].partition("?")[0]
            place = match("", method, path)
            if place is None or not isinstance(place.endpoint, Route) or place.installed.dialect.name != name:
                continue
            request = Request(method, path, {}, {}, body_of(step["request"]), 0)
            try:
                items = place.endpoint.parse(request).items
            except Refusal:
                continue
            found[place.endpoint.name] |= {item.schema for item in items}
    assert {route.name: found[route.name] - set(route.schemas) for route in installed.routes} == {
        route.name: set() for route in installed.routes
    }


def bare() -> Installed:
    """Return Appizer as somebody else's dialect that says nothing for its document."""
    appizer = INSTALLED["appizer"]
    routes = tuple(attrs.evolve(route, description=None, schemas=()) for route in appizer.routes)
    kinds = tuple(attrs.evolve(kind, places=()) for kind in appizer.dialect.kinds)
    dialect = attrs.evolve(appizer.dialect, kinds=kinds, error=None)
    return attrs.evolve(appizer, dialect=dialect, routes=routes, kinds={kind.name: kind for kind in kinds})


def test_a_dialect_that_says_nothing_has_a_document_of_what_can_be_seen() -> None:
    installed = bare()
    found = document(installed, router(Config(), [installed]), URL)
    OpenAPIV31SpecValidator(found).validate()
    operation = found["paths"]["/v1/events"]["post"]
    assert operation["requestBody"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/event"}}
    }
    assert found["paths"]["/v1/events/batch"]["post"]["requestBody"]["content"] == {"application/json": {"schema": {}}}
    assert ("security" in operation, list(operation["responses"])) == (
        False,
        ["2XX", "400", "401", "403", "408", "409", "413", "415", "429", "500", "503"],
    )
    assert operation["description"] == (
        "One invalid item rejects the whole request, and nothing of it is stored. Needs a credential: api_key or app. "
        "The dialect does not describe where it goes."
    )


def test_a_dialect_whose_functions_fail_on_samples_has_a_document() -> None:
    def fail(*_arguments: object) -> Any:
        raise KeyError("nobody thought of this")

    installed = bare()
    routes = tuple(attrs.evolve(route, parse=fail, refuse=fail) for route in installed.routes)
    broken = attrs.evolve(installed, routes=routes)
    found = document(broken, router(Config(), [broken]), URL)
    OpenAPIV31SpecValidator(found).validate()
    assert found["paths"]["/v1/users"]["post"]["requestBody"]["content"] == {"application/json": {"schema": {}}}


def test_a_schemas_references_to_itself_stay_within_the_document() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://vendor.example/track",
        "properties": {
            "$ref": {"$ref": "#/$defs/text"},
            "again": {"anyOf": [{"$ref": "#"}, {"$ref": "https://vendor.example/track#/$defs/text"}]},
            "free": {"const": {"$ref": "#/$defs/text"}},
        },
        "$defs": {"text": {"type": "string"}},
    }
    text = {"$ref": "#/components/schemas/track/$defs/text"}
    assert component("track", schema) == {
        "properties": {
            "$ref": text,
            "again": {"anyOf": [{"$ref": "#/components/schemas/track"}, text]},
            "free": {"const": {"$ref": "#/$defs/text"}},
        },
        "$defs": {"text": {"type": "string"}},
    }


def test_facts_that_cannot_be_are_refused_when_they_are_made() -> None:
    for make, problem in (
        (lambda: CredentialPlace("cookie", "a"), "'cookie' is no place of a credential"),  # type: ignore[arg-type]
        (lambda: CredentialPlace("query", "a", "Bearer"), "place a: only a header has a scheme"),
        (lambda: Body(items="some"), "a body has one item, many or either, not 'some'"),  # type: ignore[arg-type]
        (lambda: Body(items="one", field="events"), "the array in a body's field has many items"),
    ):
        with pytest.raises(ValueError, match=problem):
            make()
