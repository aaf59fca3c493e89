"""Mends text with half of a surrogate pair, which no store and no reader takes: the half becomes U+FFFD.

Browsers and phones send such text every day: a title that was cut inside an emoji. Nothing else is changed.
"""

from collections.abc import Callable

from gateway.dialect.flaws import MAX_DEPTH, Step, elements, is_whole, members, pointer, whole
from gateway.dialect.value_class import value_class

MAX_PLACES = 20  # that are named; MORE at the end says that there were further ones
MORE = "..."
MAX_MENDED = 10_000  # texts and keys of one value; no client that means well cuts so many

_FIRST_MARK = 0xE000  # the first of the 6,400 characters that Unicode leaves to private use


@value_class
class Mended:
    """A mended value, and the JSON pointers of the places that were mended: none if the value is as it was sent.

    `texts` are the texts and keys of these places, as they were sent.
    """

    value: object
    places: tuple[str, ...]
    texts: tuple[str, ...]


def mend(value: object) -> Mended:
    """Return a value with U+FFFD in the place of each lone surrogate, in texts and in keys.

    Objects and arrays without one are shared with the given value, not copied. Two keys of an object that would become
    the same stay as they are, so the value still has its flaw: no field may take the place of another. So does a value
    with more than MAX_MENDED places, which would take too long.
    """
    mender = _Mender(lambda _place: "\ufffd")
    try:
        mended = mender.mended(value)
    except _TooMany:
        return Mended(value, (), ())
    return Mended(mended, tuple(mender.places), tuple(mender.texts))


def marked(value: object) -> object:
    """Return a value that `mend` mended, with another character at each place: `place_in` finds it in a text again."""
    return _Mender(_mark).mended(value)


def place_in(mended: str, marked: str, places: tuple[str, ...]) -> str:
    """Return the place that a mended text comes from, given the same text with marks; `""` if its place has no name."""
    found = next((ord(mark) - _FIRST_MARK for text, mark in zip(mended, marked, strict=False) if text != mark), -1)
    return places[found] if 0 <= found < min(len(places), MAX_PLACES) else ""


def _mark(place: int) -> str:
    return chr(_FIRST_MARK + min(place, MAX_PLACES))


class _TooMany(Exception):
    """A value has more places than MAX_MENDED."""


class _Mender:
    """Mends one value. `mark` gives the character for the text or key that is mended as the n-th."""

    def __init__(self, mark: Callable[[int], str]) -> None:
        self.places: list[str] = []
        self.texts: list[str] = []
        self._mark = mark
        self._count = 0
        self._path: list[Step] = []

    def mended(self, node: object, depth: int = 0) -> object:
        """Return a value mended, or itself if it is whole."""
        if isinstance(node, str):
            return node if is_whole(node) else self._text(node)
        if depth > MAX_DEPTH:  # a flaw of its own, and deeper than Python should call
            return node
        if isinstance(node, dict):
            return self._object(node, depth)
        if isinstance(node, list):
            return self._array(node, depth)
        return node

    def _object(self, node: dict[str, object], depth: int) -> dict[str, object]:
        keys: dict[str, str] = {}
        values: dict[str, object] = {}
        for key, child in members(node):
            self._path.append(key)
            if not is_whole(key):
                keys[key] = self._text(key)
            value = self.mended(child, depth + 1)
            if value is not child:
                values[key] = value
            self._path.pop()
        mended = {**node, **values} if values else node
        if not keys:
            return mended
        renamed = {keys.get(key, key): child for key, child in mended.items()}
        return renamed if len(renamed) == len(node) else mended

    def _array(self, node: list[object], depth: int) -> list[object]:
        mended = node
        for index, child in elements(node):
            self._path.append(index)
            value = self.mended(child, depth + 1)
            self._path.pop()
            if value is not child:
                if mended is node:
                    mended = node.copy()
                mended[index] = value
        return mended

    def _text(self, text: str) -> str:
        place, self._count = self._count, self._count + 1
        if place < MAX_PLACES:
            self.places.append(pointer(self._path))
            self.texts.append(text)
        elif place == MAX_PLACES:
            self.places.append(MORE)
        elif place == MAX_MENDED:
            raise _TooMany
        return whole(text, self._mark(place))
