"""Which part of the gateway a sampled stack belongs to: its innermost frame that lies in one of them. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

PARTS = (
    ("SQLite", r"aiosqlite/|sqlite_file|gateway/storage/sqlite/(?!dedupe/)"),
    ("dedupe", r"gateway/storage/(sqlite/dedupe/|decide|plan|buckets|outcomes_json)|gateway/ingest/ids"),
    ("group commit", r"gateway/storage/"),
    ("encode", r"gateway/dialect/event|json/encoder"),
    ("check", r"gateway/ingest/schema|jsonschema"),
    ("decode", r"gateway/dialect/decode|json/decoder|dialects/\w+/(parse|credentials)"),
    ("translate", r"dialects/|gateway/dialect/(timestamps|toolkit)"),
    ("HTTP", r"gateway/http/|aiohttp/|asyncio/|uvloop|multidict/|yarl/|gateway/ingest/(handler|router|cors|endpoints)"),
    ("admission and items", r"gateway/"),
)
"""Each part, and where its files lie; the first that fits counts. C code counts for the function that calls it."""

OTHER = "other"
_PLACES = tuple((part, re.compile(pattern)) for part, pattern in PARTS)


def part_of(frames: Sequence[str]) -> str:
    """Return the part of one stack, outermost frame first: `["run (asyncio/runners.py)", "decode (...)"]`."""
    for frame in reversed(frames):
        place = frame.partition(" (")[2]
        for part, pattern in _PLACES:
            if pattern.search(place):
                return part
    return OTHER


def by_part(stacks: Iterable[tuple[Sequence[str], int]]) -> Counter[str]:
    """Return the samples of each part, of stacks with their numbers of samples."""
    counted: Counter[str] = Counter()
    for frames, samples in stacks:
        counted[part_of(frames)] += samples
    return counted
