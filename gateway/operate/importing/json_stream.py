"""A JSON array, and the entries of a HAR, one element at a time: no more than one of them is in memory."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.operate.importing.found import MAX_ITEM, Found, ImportProblem

MAX_ENTRY = 64 * 1024 * 1024
"""Bytes of an entry of a HAR: it has the answer too, which may be an image."""
_SPACE = re.compile(r"[ \t\r\n]*+")
_scan = json.JSONDecoder().raw_decode


class JsonStream:
    """Walks through one JSON value, of which it holds only what is looked at. Raises ImportProblem where it is none."""

    def __init__(self, blocks: Iterable[bytes], name: str) -> None:
        self._blocks = iter(blocks)
        self._name = name
        # Bytes that are not UTF-8 stay what they are, for the dialect to find.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._is_over = False

    def next_character(self) -> str:
        """Return the next character that is no space, without taking it; `""` at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            assert space is not None, "it matches anything"
            self._at = space.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> bool:
        """Take the next character that is no space, if it is this one."""
        if self.next_character() != character:
            return False
        self._at += 1
        return True

    def expect(self, character: str, what: str) -> None:
        """Take a character. Raises ImportProblem if another one is there."""
        if not self.take(character):
            raise self.problem(what)

    def value(self, most: int) -> tuple[Any, str]:
        """Return the next value and its text. Raises ImportProblem if it has more than `most` characters."""
        self.next_character()
        wanted = 0
        while True:
            try:
                value, end = _scan(self._text, self._at)
                # A number at the end of what is there may go on.
                if end < len(self._text) or self._is_over:
                    text, self._at = self._text[self._at : end], end
                    return value, text
            except (ValueError, RecursionError) as error:
                if self._is_over:
                    raise self.problem(f"not JSON: {error}" if str(error) else "nested too deeply") from None
            size = len(self._text) - self._at
            if size > most:
                raise self.problem(f"longer than {most} characters, or not JSON")
            wanted = max(2 * size, wanted)  # doubled, so that a long value is not scanned again for each block
            while len(self._text) - self._at <= wanted and self._more():
                pass

    def problem(self, what: str) -> ImportProblem:
        """Return what is wrong with the file here."""
        return ImportProblem(f"{self._name}: {what}")

    def _more(self) -> bool:
        if self._is_over:
            return False
        block = next(self._blocks, b"")
        self._is_over = not block
        self._text = self._text[self._at :] + self._decoder.decode(block, final=self._is_over)
        self._at = 0
        return not self._is_over or bool(self._text)


def array(blocks: Iterable[bytes], name: str) -> Iterator[Found]:
    """Yield the elements of a JSON array. Raises ImportProblem where it is none: what follows cannot be told apart."""
    stream = JsonStream(blocks, name)
    stream.expect("[", "no JSON array")
    for number, (_, text) in enumerate(elements(stream, MAX_ITEM), 1):
        raw = text.encode("utf-8", "surrogateescape")
        yield Found(number, raw, raw, is_json=True)


def elements(stream: JsonStream, most: int) -> Iterator[tuple[Any, str]]:
    """Yield the elements of an array, each with its text, from behind its bracket on. Raises ImportProblem."""
    number = 1
    while not stream.take("]"):
        if number > 1:
            stream.expect(",", f"behind element {number - 1} is neither a comma nor the end of the array")
        try:
            yield stream.value(most)
        except ImportProblem as problem:
            raise stream.problem(f"element {number}: {str(problem).partition(': ')[2]}") from None
        number += 1


def into(stream: JsonStream, field: str) -> bool:
    """Go to the value of a field of the object that comes; False if it has none. Raises ImportProblem."""
    stream.expect("{", "no JSON object")
    while not stream.take("}"):
        name, _ = stream.value(MAX_ITEM)
        stream.expect(":", "no JSON object")
        if name == field:
            return True
        stream.value(MAX_ENTRY)
        if not stream.take(",") and stream.next_character() != "}":
            raise stream.problem("no JSON object")
    return False
