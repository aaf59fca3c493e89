"""What only a dialect's parts together show is told at start, in one line that names the dialect."""

from typing import Any

import attrs
import pytest

from gateway.dialect import Credential, Dialect, Item, OnInvalid, Request, Submission
from gateway.ingest.registry import RegistryError, install
from tests.dialect.test_contract import route
from tests.kit.fake_dialect import API_KEY, dialect


def acme(*routes: Any, **changes: Any) -> Dialect:
    return attrs.evolve(dialect, routes=routes, **changes)


def finding(*credentials: Credential) -> Any:
    return lambda _request: Submission(credentials)


def holding(*items: Item) -> Any:
    return lambda _request: Submission(items=items)


def at_fault(_request: Request) -> Submission:
    raise ZeroDivisionError("oops")


def at_an_end(_request: Request) -> Submission:
    raise SystemExit(0)


class Mute(BaseException):
    """One that cannot be shown."""

    def __repr__(self) -> str:
        raise ValueError


def mute(_request: Request) -> Submission:
    raise Mute


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (acme(route(), route(paths=("/other",))), "two routes are named things"),
        (acme(route(scope="admin")), "route things needs the scope 'admin', which the dialect does not have"),
        (
            acme(route(schemas=("thing",))),
            "route things uses the schema 'thing', which does not exist; there is: event",
        ),
        (
            acme(route(parse=holding(Item("thing", "thing", {})))),
            "route things uses the schema 'thing', which does not exist; there is: event",
        ),
        (
            acme(route(parse=finding(Credential("token", "x")))),
            "route things finds a credential of the kind 'token', which does not exist",
        ),
        (
            acme(route(parse=holding(Item("thing", "event", {}, site="s"))), kinds=(API_KEY,)),
            "an item of route things names a site, but no credential kind is one",
        ),
        (acme(route(parse=at_fault)), "parse of route things fails on {}: ZeroDivisionError('oops')"),
        (acme(route(parse=at_an_end)), "parse of route things fails on {}: SystemExit(0)"),
        (acme(route(parse=mute)), "parse of route things fails on {}: Mute"),
        (acme(route(parse=lambda _request: None)), "parse of route things returns no Submission of {}, but: NoneType"),
        (
            acme(route(item_sites=True, on_invalid=OnInvalid.REJECT_REQUEST)),
            "route things has item_sites, but rejects whole requests",
        ),
        (acme(schemas="jsonschemas.nowhere"), "no package jsonschemas.nowhere with JSON Schemas is installed"),
    ],
)
def test_a_dialect_with_a_mistake_is_not_served(wrong: Dialect, problem: str) -> None:
    with pytest.raises(RegistryError) as raised:
        install([wrong], {})
    assert str(raised.value) == f"dialect acme: {problem}"


def test_a_switch_that_a_dialect_does_not_have_is_told() -> None:
    with pytest.raises(RegistryError, match=r"^dialect acme: it has no switch 'stict'$"):
        install([acme()], {"acme": frozenset({"stict"})})


def test_routes_may_be_a_plain_tuple_or_depend_on_the_switches() -> None:
    of_switches = attrs.evolve(dialect, routes=lambda on: (route(),) if "strict" in on else ())
    assert [each.routes for each in install([acme(route())], {})] == [(route(),)]
    assert [each.routes for each in install([of_switches], {"acme": frozenset({"strict"})})] == [(route(),)]


def test_a_parse_that_takes_a_variable_of_its_path_for_granted_is_served() -> None:
    def parse(request: Request) -> Submission:
        return Submission((Credential("api_key", request.variables["key"]),))

    [installed] = install((acme(route(paths=("/v1/{key}/things",), parse=parse)),), {})
    assert installed.routes[0].parse is parse
