"""Texts with visible escapes: every character that is obeyed or not seen, and no other that people write."""

import json
import re
import sys
import unicodedata

import pytest

from gateway.printable import first_hidden, printable, printable_lines

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]


def test_every_control_format_and_separator_character_and_half_surrogate_is_escaped() -> None:
    hidden = {each for each in EVERY if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert {each for each in hidden if not re.fullmatch(r"(\\u[0-9a-f]{4}){1,2}", printable(each))} == set()
    assert {each for each in hidden if printable_lines(each) == each} == {"\t", "\n"}


def test_what_people_write_stays_as_it_is() -> None:
    escaped = {each for each in EVERY if printable(each) != each}
    assert {
        each for each in escaped if unicodedata.category(each) in ("Lu", "Ll", "Nd", "Sm", "Sc", "Po", "Zs")
    } == set()
    for text in ("Grüße aus Köln", "東京 \N{GRINNING FACE} 100 €", "שלום", "مرحبا", "  a\xa0b "):
        assert (printable(text), printable_lines(text), first_hidden(text)) == (text, text, None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x9b31mred", r"a\u009b31mred"),
        ("\x1b]0;title\x07", r"\u001b]0;title\u0007"),
        ("\x7f", r"\u007f"),
        ("\u202eevil\u2066x\u2069", r"\u202eevil\u2066x\u2069"),
        ("a\u200bb\u2028c\ufeff", r"a\u200bb\u2028c\ufeff"),
        ("\U000e0041", r"\udb40\udc41"),
        ("\ud83d", r"\ud83d"),
        ("line\nforged\tline\r", r"line\u000aforged\u0009line\u000d"),
    ],
)
def test_a_hidden_character_becomes_the_escape_that_json_has_for_it(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert json.loads(f'"{printable(text)}"') == text
    assert first_hidden(text) is not None


def test_a_line_of_json_stays_the_same_json() -> None:
    value = {"na\u202eme": "a\x9bb\U000e0041\u2028", "n": 1}
    line = json.dumps(value, ensure_ascii=False)
    assert (json.loads(printable(line)), printable(line) != line) == (value, True)
