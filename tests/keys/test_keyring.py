"""The keyring: whom a credential identifies, what it allows, and why others are refused."""

from collections.abc import Mapping

import attrs
import pytest

from gateway.dialect import MAX_CREDENTIAL, MAX_CREDENTIALS, Credential, Item, Submission
from gateway.dialect.outcome import Reason, Refusal
from gateway.keys.keyring import MAX_ITEMS_ASKED, AccessRequest, Grant, Keyring, Principal, digest
from tests.kit.fake_dialect import dialect

SALT = b"a salt for tests"
NOW = 1767323045678
KINDS = {kind.name: kind for kind in dialect.kinds}
ACCESS = AccessRequest("acme", KINDS, "write", None, NOW)


def ring(*grants: tuple[str, Grant]) -> Keyring:
    return Keyring(SALT, {digest(SALT, grant.dialect, grant.kind, value): grant for value, grant in grants})


def grant(name: str, kind: str = "api_key", project: str = "shop", scopes: tuple[str, ...] = ("write",)) -> Grant:
    return Grant(name, project, "acme", kind, frozenset(scopes))


KEY = ("secret", grant("key"))
OTHER = ("other", grant("other", project="blog"))
HOME = ("home", grant("home", kind="site", scopes=()))
AWAY = ("away", grant("away", kind="site", project="blog", scopes=()))
ALL = ring(KEY, OTHER, HOME, AWAY)
SHOP_BY_KEY = Principal("shop", "key", None, authenticated=True)
SHOP_BY_KEY_AND_SITE = Principal("shop", "key", "home", authenticated=True)


def refusal(
    keyring: Keyring, submission: Submission, access: AccessRequest = ACCESS
) -> tuple[Reason, Mapping[str, object]]:
    with pytest.raises(Refusal) as caught:
        keyring.resolve(submission, access)
    return caught.value.reason, caught.value.detail


def showing(*credentials: Credential) -> Submission:
    return Submission(credentials)


def naming(*sites: str) -> tuple[Item, ...]:
    return tuple(Item("track", "event", {}, site=site) for site in sites)


def test_a_key_opens_its_project() -> None:
    assert ALL.resolve(showing(Credential("api_key", "secret")), ACCESS) == Principal(
        "shop", "key", None, authenticated=True
    )


def test_a_site_opens_its_project_and_is_named() -> None:
    assert ALL.resolve(showing(Credential("site", "home")), ACCESS) == Principal("shop", "home", "home")


def test_a_request_without_credentials_is_refused() -> None:
    assert refusal(ALL, showing()) == (Reason.NO_CREDENTIAL, {})


def test_an_unknown_value_is_refused_and_an_optional_one_counts_as_not_sent() -> None:
    unknown = Credential("api_key", "wrong")
    optional = Credential("api_key", "wrong", optional=True)
    assert refusal(ALL, showing(unknown)) == (Reason.UNKNOWN_CREDENTIAL, {"kind": "api_key"})
    assert refusal(ALL, showing(optional)) == (Reason.NO_CREDENTIAL, {})
    assert ALL.resolve(showing(optional, Credential("site", "home")), ACCESS) == Principal("shop", "home", "home")


def test_a_value_of_another_dialect_or_kind_is_unknown() -> None:
    other = attrs.evolve(KEY[1], dialect="other")
    assert refusal(ring(("secret", other)), showing(Credential("api_key", "secret")))[0] is Reason.UNKNOWN_CREDENTIAL
    assert refusal(ALL, showing(Credential("site", "secret")))[0] is Reason.UNKNOWN_CREDENTIAL


def test_a_revoked_key_is_distinguished_from_an_unknown_one() -> None:
    keyring = ring(("secret", attrs.evolve(KEY[1], revoked=True)))
    assert refusal(keyring, showing(Credential("api_key", "secret"))) == (
        Reason.REVOKED_CREDENTIAL,
        {"kind": "api_key"},
    )


def test_a_rotated_key_works_to_the_end_of_its_grace() -> None:
    keyring = ring(("secret", attrs.evolve(KEY[1], expires_at=NOW)))
    sent = showing(Credential("api_key", "secret"))
    assert keyring.resolve(sent, attrs.evolve(ACCESS, now=NOW - 1)) == Principal(
        "shop", "key", None, authenticated=True
    )
    assert refusal(keyring, sent, ACCESS)[0] is Reason.REVOKED_CREDENTIAL


def test_a_key_without_the_scope_is_refused_even_beside_a_good_site() -> None:
    keyring = ring(("secret", grant("key", scopes=("read", "other"))), HOME)
    sent = showing(Credential("api_key", "secret"), Credential("site", "home"))
    assert refusal(keyring, sent) == (Reason.MISSING_SCOPE, {"required": "write", "current": ["other", "read"]})
    assert keyring.resolve(sent, attrs.evolve(ACCESS, scope=None)) == Principal(
        "shop", "key", "home", authenticated=True
    )


def test_credentials_of_two_projects_are_refused_together() -> None:
    assert refusal(ALL, showing(Credential("api_key", "secret"), Credential("site", "away")))[0] is Reason.FOREIGN_SITE
    assert refusal(ALL, showing(Credential("api_key", "secret"), Credential("api_key", "other"))) == (
        Reason.FOREIGN_SITE,
        {},
    )


def test_an_item_may_name_only_sites_of_the_project_that_was_opened() -> None:
    key = (Credential("api_key", "secret"),)
    assert ALL.resolve(Submission(key, naming("home", "HOME")), ACCESS) == Principal(
        "shop", "key", None, authenticated=True
    )
    assert refusal(ALL, Submission(key, naming("home", "away"))) == (Reason.FOREIGN_SITE, {})
    assert refusal(ALL, Submission(key, naming("nowhere"))) == (Reason.UNKNOWN_SITE, {})


def test_a_credential_with_allowed_origins_is_checked_against_them() -> None:
    app = ("id", attrs.evolve(grant("app", kind="app"), origins=("shop.example",)))
    sent = showing(Credential("app", "id"))
    there = attrs.evolve(ACCESS, origin="https://shop.example")
    elsewhere = attrs.evolve(ACCESS, origin="https://evil.example")
    assert ring(app).resolve(sent, there) == Principal("shop", "app", None)
    assert refusal(ring(app), sent, elsewhere) == (
        Reason.ORIGIN,
        {"origin": "https://evil.example", "kind": "app"},
    )
    assert refusal(ring(app), sent, ACCESS) == (Reason.ORIGIN, {"origin": None, "kind": "app"})


def test_a_site_that_an_item_names_is_checked_against_its_origins_too() -> None:
    home = ("home", attrs.evolve(HOME[1], origins=("shop.example",)))
    sent = Submission((Credential("api_key", "secret"),), naming("home"))
    elsewhere = attrs.evolve(ACCESS, origin="https://evil.example")
    assert refusal(ring(KEY, home), sent, elsewhere) == (
        Reason.ORIGIN,
        {"origin": "https://evil.example", "kind": "site"},
    )


OLD = ("old", attrs.evolve(grant("old"), revoked=True))
GONE = ("gone", attrs.evolve(grant("gone"), expires_at=NOW))
PAGE = ("page", attrs.evolve(grant("page", kind="app"), origins=("shop.example",)))
READER = ("reader", grant("reader", scopes=("read",)))
STRANGER = Credential("api_key", "wrong")


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ([Credential("app", "page")], (Reason.ORIGIN, "shop", "page", None, False)),
        ([Credential("api_key", "old")], (Reason.REVOKED_CREDENTIAL, "shop", "old", None, False)),
        ([Credential("api_key", "gone")], (Reason.REVOKED_CREDENTIAL, "shop", "gone", None, False)),
        ([Credential("api_key", "old", optional=True)], (Reason.NO_CREDENTIAL, "shop", "old", None, False)),
        ([Credential("api_key", "reader")], (Reason.MISSING_SCOPE, "shop", "reader", None, True)),
        ([STRANGER, Credential("site", "home")], (Reason.UNKNOWN_CREDENTIAL, "shop", "home", "home", False)),
        (
            [Credential("api_key", "reader"), Credential("site", "home")],
            (Reason.MISSING_SCOPE, "shop", "reader", "home", True),
        ),
        (
            [Credential("site", "away"), Credential("api_key", "secret")],
            (Reason.FOREIGN_SITE, "blog", "away", "away", False),
        ),
        (
            [Credential("api_key", "secret"), Credential("site", "away")],
            (Reason.FOREIGN_SITE, "shop", "key", None, True),
        ),
        ([STRANGER], (Reason.UNKNOWN_CREDENTIAL, None, None, None, False)),
        ([Credential("site", "shop")], (Reason.UNKNOWN_CREDENTIAL, None, None, None, False)),
        ([], (Reason.NO_CREDENTIAL, None, None, None, False)),
    ],
)
def test_a_refusal_is_booked_to_the_first_credential_that_is_known_in_whatever_state(
    credentials: list[Credential], expected: tuple[object, ...]
) -> None:
    with pytest.raises(Refusal) as caught:
        ring(KEY, HOME, AWAY, OLD, GONE, PAGE, READER).resolve(showing(*credentials), ACCESS)
    found = caught.value
    assert (found.reason, found.project, found.credential_id, found.site, found.authenticated) == expected
    assert not found.admitted


def test_a_refusal_is_booked_to_a_site_that_one_of_the_first_items_names() -> None:
    with pytest.raises(Refusal) as caught:
        ALL.resolve(Submission((STRANGER,), naming("nowhere", "HOME", "away")), ACCESS)
    assert (caught.value.project, caught.value.credential_id, caught.value.site) == ("shop", "home", "home")
    with pytest.raises(Refusal) as caught:
        ALL.resolve(Submission((STRANGER,), naming(*["nowhere"] * MAX_ITEMS_ASKED, "home")), ACCESS)
    assert (caught.value.project, caught.value.credential_id, caught.value.site) == (None, None, None)


def test_a_digest_belongs_to_its_salt_dialect_kind_and_value() -> None:
    digests = {
        digest(b"salt", "a", "b", "c"),
        digest(b"other", "a", "b", "c"),
        digest(b"salt", "x", "b", "c"),
        digest(b"salt", "a", "x", "c"),
        digest(b"salt", "a", "b", "x"),
        digest(b"salt", "ab", "", "c"),
    }
    assert (len(digests), {len(each) for each in digests}) == (6, {32})


def test_a_credentials_value_is_never_in_its_repr() -> None:
    assert "secret" not in repr(Credential("api_key", "secret"))


def test_a_credential_longer_than_any_can_be_is_unknown_without_another_look() -> None:
    long = "x" * (MAX_CREDENTIAL + 1)
    never = attrs.evolve(dialect.kinds[1], normalize=lambda _value: pytest.fail("it was looked at"))
    access = attrs.evolve(ACCESS, kinds={**KINDS, "site": never})
    keyring = Keyring(b"x" * 65, {})  # no salt may be so long: a value that is hashed with it fails
    assert refusal(keyring, Submission((Credential("api_key", long),), naming(long)), access) == (
        Reason.UNKNOWN_CREDENTIAL,
        {"kind": "api_key"},
    )


def test_a_request_with_more_credentials_than_any_dialect_reads_is_refused() -> None:
    many = [Credential("api_key", "secret")] * (MAX_CREDENTIALS + 1)
    assert refusal(ALL, showing(*many)) == (Reason.UNKNOWN_CREDENTIAL, {"kind": "api_key"})
    assert ALL.resolve(showing(*many[1:]), ACCESS) == SHOP_BY_KEY
