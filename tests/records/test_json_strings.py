"""Redaction in JSON: it stays the JSON that it was but for its strings, and none has a secret, however spelled."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.records import json_strings
from gateway.records.secret_names import COMMON_SECRET_FIELDS
from gateway.records.spellings import REDACTED, Secrets

SECRET = "ab/cd+ef=12345"
WORDS = st.sampled_from(
    [
        "code",
        "null",
        "true",
        '"pointer":',
        "12345678",
        "e+10",
        "nbcdefgh",
        "0061",
        "a\\b\\",
        '""',
        "\u00e9t\u00e9s",
        "\U0001f600" * 2,
    ]
)
SECRETS = WORDS | st.text(min_size=4, max_size=12)


def values(secret: str) -> st.SearchStrategy[object]:
    """Return any JSON, with a secret in many of its strings."""
    texts = st.lists(st.text(max_size=6) | st.just(secret), max_size=3).map("".join)
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(texts, inner), max_size=4).map(dict)
    )


def shape(value: object) -> object:
    """Return a value with all of its strings blanked, and objects as lists of pairs."""
    if isinstance(value, str):
        return ""
    if isinstance(value, list):
        return [shape(each) for each in value]
    return value


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for each in value for text in texts(each)] if isinstance(value, list) else []


def pairs_of(text: bytes) -> object:
    return json.loads(text, object_pairs_hook=lambda pairs: [[name, value] for name, value in pairs])


@settings(deadline=None, max_examples=60)
@given(st.data(), SECRETS, st.booleans())
def test_what_was_json_is_the_same_json_but_for_strings_and_no_string_has_the_secret(
    data: st.DataObject, secret: str, ascii_only: bool
) -> None:
    assume(secret not in REDACTED and not secret.isspace())
    value = data.draw(values(secret))
    try:
        text = json.dumps(value, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        text = json.dumps(value).encode()
    hidden = json_strings.hide(text, Secrets((secret,)), ("apiKey",))
    if json_strings.is_json(text):
        assert shape(pairs_of(hidden)) == shape(pairs_of(text))
        assert not [found for found in texts(pairs_of(hidden)) if secret in found]


@pytest.mark.parametrize("name", ["apiKey", "\\u0061piKey", "api\\u004bey", "\\u0061\\u0070iKe\\u0079", "apiKe\\u0079"])
def test_a_field_is_found_whichever_characters_of_its_name_are_escaped(name: str) -> None:
    text = f'{{"{name}":"a-value","key of another":1}}'.encode()
    hidden = json_strings.hide(text, Secrets(), COMMON_SECRET_FIELDS)
    assert json.loads(hidden) == {"apiKey": REDACTED, "key of another": 1}


@pytest.mark.parametrize("name", ["apiKey", "\\u0061piKey"])
def test_an_array_in_the_place_of_a_fields_text_is_redacted_too(name: str) -> None:
    text = f'{{"{name}": [ "a-value" ], "key of another": ["b"], "last": 1}}'.encode()
    hidden = json_strings.hide(text, Secrets(), COMMON_SECRET_FIELDS)
    assert json.loads(hidden) == {"apiKey": [REDACTED], "key of another": ["b"], "last": 1}


def test_each_text_of_an_array_in_the_place_of_a_fields_text_is_redacted() -> None:
    text = b'[{"token": [["a-value", "another"], "third", 4, "fifth"], "name": "b"}]'
    hidden = json_strings.hide(text, Secrets(), COMMON_SECRET_FIELDS)
    assert json.loads(hidden) == [{"token": [[REDACTED, REDACTED], "third", 4, "fifth"], "name": "b"}]
