"""How cases are written: in lines of 120 characters, with what is invisible escaped; and our own are written so."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.testing.corpus.text import WIDTH, case_text
from tests.docs.readme import ROOT

FILES = sorted((ROOT / "tests" / "corpus").glob("*/*.json"))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_what_fits_stands_on_one_line_and_the_rest_is_broken_from_the_outside_in() -> None:
    fits = {"a": "x" * (WIDTH - len('  "steps": {"a": ""},'))}
    more = {"a": fits["a"] + "x"}
    assert case_text({"source": "s", "steps": fits, "events": []}) == (
        f'{{\n  "source": "s",\n  "steps": {{"a": "{fits["a"]}"}},\n  "events": []\n}}\n'
    )
    assert case_text({"steps": more}) == f'{{\n  "steps": {{\n    "a": "{more["a"]}"\n  }}\n}}\n'


def test_what_nobody_would_see_is_escaped_and_all_else_is_not() -> None:
    text = "ü😀 \u00a0\u200b\ud83d\u0000\x7f\u2028"
    written = r"ü😀 \u00a0\u200b\ud83d\u0000\u007f\u2028"
    assert case_text({"text": text}) == f'{{\n  "text": "{written}"\n}}\n'


@settings(max_examples=50)
@given(JSON)
def test_a_text_has_the_value_that_was_written(value: Any) -> None:
    text = case_text({"value": value})
    assert json.dumps(json.loads(text.encode())["value"]) == json.dumps(value)


def test_our_own_cases_are_written_so() -> None:
    texts = {file: file.read_text("utf-8") for file in FILES}
    assert len(texts) > 300
    assert [file for file, text in texts.items() if case_text(json.loads(text)) != text] == []
