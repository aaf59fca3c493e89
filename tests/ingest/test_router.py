"""Who answers what: paths at the root, mounts, bound hosts, variable segments, and two dialects on one path."""

import attrs
import pytest

from gateway.dialect import Dialect, Response, StaticRoute
from gateway.ingest.registry import Installed, install
from gateway.ingest.router import Match, Router
from tests.dialect.test_contract import route
from tests.kit.fake_dialect import dialect

HEALTH = StaticRoute(("/health",), lambda _: Response(200))
FIRST = attrs.evolve(dialect, name="first", prefixes=("/v1/",), routes=(route(paths=("/track", "/v1/a")),))
SECOND = attrs.evolve(
    dialect,
    name="second",
    prefixes=("/v1/", ""),
    routes=(route(paths=("/track",), method="PUT"), route(name="keys", paths=("/keys/{key}/settings",), method="GET")),
    static_routes=(HEALTH,),
)


def router(*dialects: Dialect, hosts: dict[str, str] | None = None, mount_only: str = "", order: str = "") -> Router:
    return Router(install(dialects, {}, mount_only.split()), hosts or {}, order.split())


def found(match: Match | None) -> tuple[str, str, str] | None:
    """Return who answers, at which path, and the route or what else there is."""
    if match is None:
        return None
    name = getattr(match.endpoint, "name", "static" if match.endpoint else f"allowed: {', '.join(match.allowed)}")
    return match.installed.dialect.name, match.path, name


def test_two_dialects_may_claim_one_path_and_the_first_in_the_order_answers_it() -> None:
    by_name, turned = router(FIRST, SECOND), router(FIRST, SECOND, order="second")
    assert found(by_name.match("", "POST", "/track")) == ("first", "/track", "things")
    assert found(by_name.match("", "PUT", "/track")) == ("first", "/track", "allowed: POST")
    assert found(turned.match("", "POST", "/track")) == ("second", "/track", "allowed: PUT")
    assert found(turned.match("", "POST", "/v1/a")) == ("first", "/v1/a", "things")


def test_who_does_not_answer_at_the_root_answers_under_its_mount_and_on_its_host() -> None:
    both = router(FIRST, SECOND, hosts={"two.example": "second"})
    assert found(both.match("", "PUT", "/second/track")) == ("second", "/track", "things")
    assert found(both.match("two.example:443", "PUT", "/track")) == ("second", "/track", "things")
    assert found(both.match("two.example", "PUT", "/second/track")) == ("second", "/track", "things")
    assert found(both.match("two.example", "POST", "/v1/a")) == ("second", "/v1/a", "allowed: ")


@pytest.mark.parametrize(
    ("bound", "host"),
    [
        ("shop.example.com", "shop.example.com"),
        ("shop.example.com", "shop.example.com."),
        ("shop.example.com", "Shop.Example.COM.:8080"),
        ("shop.example.com.", "shop.example.com:443"),
        ("Shop.example.com", "shop.example.com"),
        ("[::1]", "[::1]"),
        ("[::1]", "[::1]:8080"),
        ("[::1]", "[0:0:0:0:0:0:0:1]:8080"),
        ("[2001:DB8::0:1]", "[2001:db8::1]"),
        ("127.0.0.1", "127.0.0.1:8080"),
    ],
)
def test_a_bound_host_is_known_in_every_spelling(bound: str, host: str) -> None:
    both = router(FIRST, SECOND, hosts={bound: "second"})
    assert found(both.match(host, "PUT", "/track")) == ("second", "/track", "things")


@pytest.mark.parametrize(
    "host",
    [
        *("", ".", "shop.example.com..", "evil.shop.example.com", "[::2]", "[::1", "::1", "[", "[]", "[::1%25eth0]"),
        *(f"[{'0' * 60_000}::1]", f"{'a' * 60_000}.example.com"),
    ],
)
def test_no_other_host_is_taken_for_a_bound_one(host: str) -> None:
    both = router(FIRST, SECOND, hosts={"shop.example.com": "second", "[::1]": "second"})
    assert found(both.match(host, "POST", "/track")) == ("first", "/track", "things")


def test_head_belongs_where_get_does() -> None:
    only = router(SECOND)
    for path in ("/health", "/second/health", "/keys/a/settings"):
        assert found(only.match("", "HEAD", path)) == found(only.match("", "GET", path))
    refused, posted = only.match("", "HEAD", "/track"), only.match("", "POST", "/health")
    assert refused is not None
    assert posted is not None
    assert (found(refused), refused.methods, posted.methods) == (
        ("second", "/track", "allowed: PUT"),
        ("PUT",),
        ("GET", "HEAD"),
    )


def test_a_dialect_that_is_only_mounted_claims_nothing_at_the_root() -> None:
    mounted = router(FIRST, SECOND, mount_only="first")
    assert found(mounted.match("", "PUT", "/track")) == ("second", "/track", "things")
    assert found(mounted.match("", "POST", "/v1/a")) == ("second", "/v1/a", "allowed: ")
    assert found(mounted.match("", "POST", "/first/v1/a")) == ("first", "/v1/a", "things")


def test_unknown_paths_are_the_first_claimants_of_the_longest_prefix() -> None:
    both = router(FIRST, SECOND)
    assert found(both.match("", "POST", "/v1/nothing")) == ("first", "/v1/nothing", "allowed: ")
    assert found(both.match("", "POST", "/nothing")) == ("second", "/nothing", "allowed: ")
    assert found(router(FIRST).match("", "POST", "/nothing")) is None


def test_one_segment_may_be_a_variable() -> None:
    only = router(SECOND)
    match = only.match("", "GET", "/keys/a%20b/settings")
    assert match is not None
    assert (found(match), match.variables) == (("second", "/keys/a b/settings", "keys"), {"key": "a b"})
    assert found(only.match("", "POST", "/keys/x/settings")) == ("second", "/keys/x/settings", "allowed: GET")
    for path in ("/keys//settings", "/keys/a/b/settings", "/keys/settings", "/keys/a/settings/b"):
        assert found(only.match("", "GET", path)) == ("second", path.replace("//", "/"), "allowed: ")


def test_everything_that_is_served_can_be_listed() -> None:
    both: tuple[Installed, ...] = install((FIRST, SECOND), {})
    assert list(Router(both, {"two.example": "second"}).routes()) == [
        ("POST", "/track", "first"),
        ("POST", "/v1/a", "first"),
        ("GET", "/health", "second"),
        ("GET", "/keys/{key}/settings", "second"),
        ("POST", "/first/track", "first"),
        ("POST", "/first/v1/a", "first"),
        ("PUT", "/second/track", "second"),
        ("GET", "/second/health", "second"),
        ("GET", "/second/keys/{key}/settings", "second"),
        ("PUT", "two.example/track", "second"),
        ("GET", "two.example/health", "second"),
        ("GET", "two.example/keys/{key}/settings", "second"),
    ]
