"""The places where two JSON documents differ. Pure."""

from collections.abc import Iterator

from gateway.dialect.decode import escape

ABSENT = object()


def json_diff(before: object, after: object, pointer: str = "") -> Iterator[dict[str, object]]:
    """Yield each place that differs: `{"pointer": "/name", "stored": "before", "today": "after"}`.

    `stored` is missing if only the second document has the place, `today` if only the first has it.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *[key for key in after if key not in before]]:
            yield from json_diff(before.get(key, ABSENT), after.get(key, ABSENT), f"{pointer}/{escape(key)}")
    elif type(before) is not type(after) or before != after:
        difference: dict[str, object] = {"pointer": pointer}
        if before is not ABSENT:
            difference["stored"] = before
        if after is not ABSENT:
            difference["today"] = after
        yield difference
