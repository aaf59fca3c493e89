"""Two JSON documents to the places where they differ. Pure."""

from collections.abc import Iterator

from gateway.dialect.decode import escape

ABSENT = object()


def json_diff(before: object, after: object, pointer: str = "") -> Iterator[dict[str, object]]:
    """Yield each place that differs, with what stands there on either side; what is absent there is left out."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *[key for key in after if key not in before]]:
            yield from json_diff(before.get(key, ABSENT), after.get(key, ABSENT), f"{pointer}/{escape(key)}")
    elif type(before) is not type(after) or before != after:
        told: dict[str, object] = {"pointer": pointer}
        if before is not ABSENT:
            told["stored"] = before
        if after is not ABSENT:
            told["today"] = after
        yield told
