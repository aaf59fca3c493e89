"""Credentials: their random values, what is shown of them, and what is refused when they are added."""

import re

import pytest

from gateway.dialect import CredentialKind
from gateway.keys.credential import KeyFileError
from gateway.storage.sqlite.keys.key_file import KeyFile
from tests.kit.fake_dialect import API_KEY, APP, SITE, dialect

NOW = 1767323045678


def test_a_random_value_follows_the_template_of_its_kind(keys: KeyFile) -> None:
    token = keys.add("shop", dialect, API_KEY, now=NOW).value
    site = keys.add("shop", dialect, SITE, now=NOW).value
    assert re.fullmatch(r"acme_[0-9a-f]{48}", token)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", site)


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        (API_KEY, "a" * 12 + "last", "...last"),
        (API_KEY, "a" * 11 + "last", None),
        (SITE, "AB", "ab"),
    ],
)
def test_a_masked_value_shows_no_more_than_it_may(
    keys: KeyFile, kind: CredentialKind, value: str, masked: str | None
) -> None:
    assert keys.add("shop", dialect, kind, now=NOW, value=value).record.masked == masked


def unseen(place: int, name: str) -> str:
    return f"character {place} of the value of the api_key cannot be seen ({name}); copy the value again, or type it"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "the value of the api_key is empty"),
        ("  ", "the value of the api_key is empty"),
        ("Bearer ", "the value of the api_key begins or ends with white space"),
        ("a" * 513, "the value of the api_key has 513 characters; at most 512 are allowed"),
        ("a\nb", "the value of the api_key contains control characters or is not UTF-8"),
        ("a\0b", "the value of the api_key contains control characters or is not UTF-8"),
        ("a\udcffb", "the value of the api_key contains control characters or is not UTF-8"),
        (" a", "the value of the api_key begins or ends with white space"),
        ("a\xa0", "the value of the api_key begins or ends with white space"),
        ("a\u2003", "the value of the api_key begins or ends with white space"),
        ("a\x9bb", "the value of the api_key contains control characters or is not UTF-8"),
        ("\ufeffab", unseen(1, "U+FEFF ZERO WIDTH NO-BREAK SPACE")),
        ("ab\u200b", unseen(3, "U+200B ZERO WIDTH SPACE")),
        ("a\xadb", unseen(2, "U+00AD SOFT HYPHEN")),
        ("a\xa0b", unseen(2, "U+00A0 NO-BREAK SPACE")),
        ("a\u202eb", unseen(2, "U+202E RIGHT-TO-LEFT OVERRIDE")),
        ("a\u2028b", unseen(2, "U+2028 LINE SEPARATOR")),
        ("a\u3000b\u200d", unseen(2, "U+3000 IDEOGRAPHIC SPACE")),
        ("ab\U000e0041", unseen(3, "U+E0041 TAG LATIN CAPITAL LETTER A")),
        ("ab\ufe0f", unseen(3, "U+FE0F VARIATION SELECTOR-16")),
        ("a\u2800b", unseen(2, "U+2800 BRAILLE PATTERN BLANK")),
    ],
)
def test_a_value_that_no_client_can_send_is_refused(keys: KeyFile, value: str, message: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        keys.add("shop", dialect, API_KEY, now=NOW, value=value)
    assert (str(caught.value), keys.list()) == (message, ())


@pytest.mark.parametrize("value", ["a b", "Grüße", "ключ", "a" * 16 + "~!@#$%^&*()"])
def test_a_value_that_can_be_seen_is_accepted(keys: KeyFile, value: str) -> None:
    keys.add("shop", dialect, API_KEY, now=NOW, value=value)
    assert keys.load().find("acme", "api_key", value) is not None


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("a" * 81, "the label has 81 characters; at most 80 are allowed"),
        ("a\nb", "character 2 of the label cannot be seen (U+000A)"),
        ("\x1b[2J", "character 1 of the label cannot be seen (U+001B)"),
        ("ab\u202e", "character 3 of the label cannot be seen (U+202E)"),
        ("a\0", "character 2 of the label cannot be seen (U+0000)"),
        ("\udcff", "character 1 of the label cannot be seen (U+DCFF)"),
    ],
)
def test_a_label_that_nobody_can_read_is_refused(keys: KeyFile, label: str, message: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        keys.add("shop", dialect, API_KEY, now=NOW, label=label)
    assert (str(caught.value), keys.list()) == (message, ())


def test_a_label_is_any_text_in_one_line(keys: KeyFile) -> None:
    for label in ("Kasse № 2 <b>&amp;", "a" * 80, ""):
        assert keys.add("shop", dialect, API_KEY, now=NOW, label=f"  {label} ").record.label == label


def test_a_value_of_512_characters_is_accepted(keys: KeyFile) -> None:
    keys.add("shop", dialect, API_KEY, now=NOW, value="a" * 512)
    assert keys.load().find("acme", "api_key", "a" * 512) is not None


def test_unknown_scopes_projects_and_origins_are_refused(keys: KeyFile) -> None:
    with pytest.raises(KeyFileError, match=r"^acme has no scope 'admin'; its scopes are: read, write$"):
        keys.add("shop", dialect, API_KEY, now=NOW, scopes=["admin"])
    with pytest.raises(KeyFileError, match=r"^'a shop' is not a valid project name"):
        keys.add("a shop", dialect, API_KEY, now=NOW)
    with pytest.raises(KeyFileError, match=r"^invalid origin: 'null' is"):
        keys.add("shop", dialect, APP, now=NOW, origins=["null"])
    assert keys.list() == ()


def test_origins_are_stored_as_hosts(keys: KeyFile) -> None:
    sent = ["https://Shop.Example:8443/path", "*.a.example", "*", "localhost:3000", "bücher.example", "[::1]:80"]
    added = keys.add("shop", dialect, APP, now=NOW, origins=[*sent, "shop.example"])
    assert added.record.origins == ("shop.example", "*.a.example", "*", "localhost", "xn--bcher-kva.example", "[::1]")
