"""Which sites admit an Origin, found by the Origin: the same as `origin_allowed` says of each."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect import CredentialKind
from gateway.keys.by_origin import MAX_ORIGIN, OriginIndex
from gateway.keys.keyring import AccessRequest, Grant, Keyring, Principal, digest
from gateway.keys.origins import origin_allowed

SALT = b"a salt for tests"
NOW = 1767323045678
SITE = CredentialKind("site", "{uuid}", public=True, is_site=True)
LABELS = ("shop", "blog", "www", "example", "com", "localhost", "[::1]")

hosts = st.lists(st.sampled_from(LABELS), min_size=1, max_size=4).map(".".join)
entries = st.builds("{}{}{}".format, st.sampled_from(("", "*.")), hosts, st.sampled_from(("", ":*"))) | st.just("*")
lists = st.lists(entries, max_size=3).map(tuple)
origins = st.builds(
    "{}{}{}".format, st.sampled_from(("https://", "http://WWW.", "")), hosts, st.sampled_from(("", ":8"))
)


@attrs.frozen
class Site:
    origins: tuple[str, ...]


def site(name: str, *hosts: str, project: str = "shop") -> tuple[str, Grant]:
    return name, Grant(name, project, "acme", "site", frozenset(), hosts, shown=name)


def opened(*sites: tuple[str, Grant], origin: str | None = "https://shop.example") -> Principal | None:
    keyring = Keyring(SALT, {digest(SALT, "acme", "site", value): grant for value, grant in sites})
    return keyring.resolve_origin(AccessRequest("acme", {"site": SITE}, None, origin, NOW))


SHOP, BLOG = site("home", "shop.example"), site("diary", "blog.example", project="blog")


@given(st.lists(lists, max_size=5), origins)
def test_the_index_finds_whoever_admits_an_origin(allowed: list[tuple[str, ...]], origin: str) -> None:
    sites = [Site(each) for each in allowed]
    found = list(OriginIndex.of(sites).admitting(origin))
    assert sorted(map(id, found)) == sorted(id(each) for each in sites if origin_allowed(each.origins, origin))


@pytest.mark.parametrize("origin", ["null", f"https://{'a.' * MAX_ORIGIN}example"])
def test_an_origin_that_is_none_finds_nobody(origin: str) -> None:
    assert list(OriginIndex.of([Site(()), Site(("example",))]).admitting(origin)) == []


def test_an_origin_that_exactly_one_site_admits_is_that_sites() -> None:
    assert opened(SHOP, BLOG) == Principal("shop", "home", "home")
    assert opened(SHOP, BLOG, origin="http://www.blog.example:8080") == Principal("blog", "diary", "diary")
    assert opened(SHOP, BLOG, origin="https://a.shop.example") == Principal("shop", "home", "home")
    assert opened(site("anywhere")) == Principal("shop", "anywhere", "anywhere")


def test_an_origin_that_no_site_or_more_than_one_admits_is_nobodys() -> None:
    assert opened(SHOP, BLOG, origin="https://other.example") is None
    assert opened(SHOP, site("second", "*.shop.example")) is None
    assert opened(SHOP, site("second", "a.shop.example"), origin="https://a.shop.example") is None
    assert opened(SHOP, site("anywhere", project="blog")) is None
    assert opened(SHOP, site("anywhere", "*", project="blog")) is None
    assert [opened(SHOP, origin=origin) for origin in (None, "", "null")] == [None, None, None]
    assert opened(site("anywhere"), origin="null") is None
    assert opened() is None


def test_only_sites_that_are_good_now_decide() -> None:
    name, grant = site("old", "shop.example")
    revoked, expired = (name, attrs.evolve(grant, revoked=True)), (name, attrs.evolve(grant, expires_at=NOW))
    assert [opened(each) for each in (revoked, expired)] == [None, None]
    assert [opened(SHOP, each) for each in (revoked, expired)] == [Principal("shop", "home", "home")] * 2


def test_a_rotated_site_gives_way_to_its_successor_and_decides_while_there_is_none() -> None:
    first, second = [
        (name, attrs.evolve(grant, expires_at=NOW + 1, rotated=True))
        for name, grant in (site("1", "shop.example"), SHOP)
    ]
    elsewhere = (BLOG[0], attrs.evolve(SHOP[1], id="diary", project="blog", shown="diary"))
    assert opened(first, SHOP) == Principal("shop", "home", "home")
    assert opened(first, ("2", second[1]), SHOP) == Principal("shop", "home", "home")
    assert opened(first) == Principal("shop", "1", "1")
    assert [opened(first, second), opened(first, elsewhere)] == [None, None]


def test_credentials_of_other_kinds_and_dialects_do_not_decide() -> None:
    name, grant = site("home", "shop.example")
    assert opened((name, attrs.evolve(grant, dialect="other"))) is None
    assert opened((name, attrs.evolve(grant, kind="api_key")), BLOG) is None


def test_a_site_whose_value_is_not_shown_whole_opens_its_project_unnamed() -> None:
    name, grant = site("home", "shop.example")
    assert opened((name, attrs.evolve(grant, shown="...home"))) == Principal("shop", "home", None)
