"""The head of a request as it is kept, within a bound. Pure."""

import json

MAX_HEADERS = 8192
"""Bytes of headers (JSON) that are kept; beyond it the longest are left out."""
NOT_KEPT = "(not kept)"
MAX_NAMES = 500


def bounded(values: bytes, limit: int = MAX_HEADERS) -> bytes:
    """Return headers or a query (a JSON object of strings) without the longest values beyond `limit` bytes.

    NOT_KEPT then has the names of what is left out.
    """
    if len(values) <= limit:
        return values
    read: dict[str, str] = json.loads(values)  # not orjson: there may be half a surrogate pair in them
    sizes = {name: len(json.dumps([name, value])) for name, value in read.items()}
    room, kept = limit, set[str]()
    for name in sorted(sizes, key=lambda name: sizes[name]):
        room -= sizes[name]
        if room < 0:
            break
        kept.add(name)
    missing = ", ".join([name for name in read if name not in kept])[:MAX_NAMES]
    return json.dumps({**{name: read[name] for name in read if name in kept}, NOT_KEPT: missing}).encode()
