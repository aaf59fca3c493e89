"""The switch `coerce_ids`: numbers in the fields that identify a user become strings before the schema sees them."""

from collections.abc import Callable

import attrs

from dialects.appizer.wire import ID_FIELDS
from gateway.dialect import Request, Submission, js_number


def ids(parse: Callable[[Request], Submission]) -> Callable[[Request], Submission]:
    """Return a `parse` that does the same, and then turns numeric ids of its items into strings."""

    def parse_and_coerce(request: Request) -> Submission:
        submission = parse(request)
        items = tuple([attrs.evolve(item, payload=coerced(item.payload)) for item in submission.items])
        return attrs.evolve(submission, items=items)

    return parse_and_coerce


def coerced(payload: object) -> object:
    """Return a payload with its numeric ids as JavaScript spells them: `42.0` becomes `"42"`.

    Everything else stays, ids of `true` included: the schema refuses them.
    """
    if not isinstance(payload, dict):
        return payload
    texts = {name: js_number(payload[name]) for name in ID_FIELDS if _is_number(payload.get(name))}
    return {**payload, **texts} if texts else payload


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
