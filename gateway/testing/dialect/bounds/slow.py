"""Checks that no text takes long: a regular expression that tries every way to match takes hours for forty letters."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs

from gateway.testing.bugs import place_of
from gateway.testing.check import Check, Failure, fail
from gateway.testing.corpus.message import SentRequest
from gateway.testing.limit import OutOfTime, cpu
from gateway.testing.samples.everywhere import Texts, with_credential, with_headers
from gateway.testing.samples.places import with_value
from gateway.testing.samples.readings import event_of, items, of_sample, received
from gateway.testing.samples.sample import Sample
from gateway.testing.subject import Subject

MOST = 1.0  # second of CPU time that a request may take
UNITS = ("a", "a1", "a/", "/a", "a ", "a-", "a.", "a_", "1", " ", "=a&")
TIMES = 40  # ways to match double with each, where they do at all
LONG = 100_000  # characters
HOSTILE = tuple([unit * TIMES + "!" for unit in UNITS])
STRICT = ("a" * TIMES + "!", "1" * TIMES + "!", " " * TIMES + "!")
"""Texts for places that accept few, where each is tried alone."""
PUMPED = 30  # characters of a text, each of which is repeated
REMEDY = (
    "rewrite the regular expression so that a text has one way to match it: no repetition within a repetition, as"
    " (a+)*; or cut the text before you match it"
)


def checks(subject: Subject) -> Iterator[Check]:
    """Yield a check for each schema with patterns, and those of requests."""
    for name, schema in subject.installed.schemas.items():
        patterns = sorted(set(_patterns(schema.document)))
        if patterns:
            yield Check(f"time/no text takes long in a pattern of {name}", partial(_pattern, subject, name, patterns))
    yield Check("time/no text takes long", partial(_texts, subject))
    yield Check("time/a text of 100,000 characters takes no second", partial(_long, subject))


def _pattern(subject: Subject, name: str, patterns: list[str]) -> None:
    known = {text for sample in subject.samples for item in sample.submission.items for text in _texts_in(item.payload)}
    for pattern in patterns:
        compiled = re.compile(pattern)
        matching = sorted([text for text in known if compiled.search(text)], key=lambda text: (len(text), text))
        tried = [(_shown(text), text) for text in HOSTILE]
        tried += [each for base in matching[:3] for each in _pumped(base)]
        for what, text in tried:
            with _quick(f"the pattern {pattern} of {name}.json, and {what}"):
                compiled.search(text)


def _texts(subject: Subject) -> None:
    for texts in subject.texts:
        for hostile in HOSTILE:
            _require_quick_texts(subject, texts, partial(_replaced, hostile), _shown(hostile))
            _require_quick_texts(subject, texts, partial(_appended, hostile), f"{_shown(hostile)} behind its own text")
        for place in texts.strict:
            for hostile in STRICT:
                request = with_value(texts.sample.request, place, hostile)
                _require_quick(subject, texts.sample, request, f"{_shown(hostile)} as {place}")
    for sample in subject.samples:
        for hostile in HOSTILE:
            _require_quick(subject, sample, with_headers(sample, hostile), f"{_shown(hostile)} in its headers")
            for request in with_credential(sample, hostile):
                _require_quick(subject, sample, request, f"{_shown(hostile)} as a credential")


def _long(subject: Subject) -> None:
    for texts in subject.texts:
        _require_quick_texts(subject, texts, lambda text: text + "a" * LONG, f"{LONG:,} characters")


def _replaced(hostile: str, _text: str) -> str:
    return hostile


def _appended(hostile: str, text: str) -> str:
    return text + hostile


def _require_quick_texts(subject: Subject, texts: Texts, change: Callable[[str], str], what: str) -> None:
    """Fail if other texts take long at all free places at once, and name the first that does so alone."""
    sample = texts.sample
    try:
        _require_quick(subject, sample, texts.changed(change), f"{what} at each place")
    except Failure:
        for place in texts.free:
            one = attrs.evolve(texts, free=(place,))
            _require_quick(subject, sample, one.changed(change), f"{what} as {place}")
        raise


def _require_quick(subject: Subject, sample: Sample, request: SentRequest, what: str) -> None:
    """Fail if it takes long to parse a request, to look at its schemas, or to translate it."""
    with _quick(f"{sample} with {what}"):
        reading = of_sample(sample, request)
        if reading is not None:
            told = received(subject.installed, reading)
            for _, item in items(subject.installed, reading):
                event_of(reading.route, item, told)


@contextlib.contextmanager
def _quick(what: str) -> Iterator[None]:
    try:
        with cpu(MOST):
            yield
    except OutOfTime as problem:
        fail(f"{what}: it took more than {MOST:g} second of CPU time{place_of(problem)}", REMEDY)


def _patterns(schema: Any) -> Iterator[str]:
    """Yield the regular expressions anywhere in a schema."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), Mapping):
            yield from schema["patternProperties"]
    inner = schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    for each in inner:
        yield from _patterns(each)


def _texts_in(value: Any) -> Iterator[str]:
    """Yield the texts anywhere in a JSON value."""
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _texts_in(each)


def _pumped(base: str) -> Iterator[tuple[str, str]]:
    """Yield a text that a pattern matches with one part repeated and another end, in words and as it is."""
    for start in range(min(len(base), PUMPED)):
        for length in (1, 2):
            before, part = base[:start], base[start : start + length]
            yield f"{part!a} {TIMES} times" + (f" behind {before!a}" if before else ""), f"{before}{part * TIMES}!"


def _shown(text: str) -> str:
    """Return a hostile text in words."""
    return ascii(text[: text.index("!")][: len(text) // TIMES]) + f" {TIMES} times"
