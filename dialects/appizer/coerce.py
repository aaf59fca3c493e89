"""The switch `coerce_ids`: numbers in the fields that name a user become strings before the schema sees them."""

from collections.abc import Callable
from typing import Any

import attrs

from gateway.dialect import Request, Submission

_IDS = ("user_id", "new_user_id", "alias_id", "primary_user_id", "userId", "anonymousId")
_SHORT = 1e21  # JavaScript writes whole numbers below it in digits


def coercing(parse: Callable[[Request], Submission]) -> Callable[[Request], Submission]:
    """Return a parse whose items have text for ids, whatever number was sent."""

    def parse_coercing(request: Request) -> Submission:
        submission = parse(request)
        items = tuple(attrs.evolve(item, payload=coerced(item.payload)) for item in submission.items)
        return attrs.evolve(submission, items=items)

    return parse_coercing


def coerced(payload: object) -> object:
    """Return a payload with its numeric ids as texts; what is not a number stays as it is."""
    if not isinstance(payload, dict):
        return payload
    texts = {name: _text(payload[name]) for name in _IDS if _is_number(payload.get(name))}
    return {**payload, **texts} if texts else payload


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(number: Any) -> str:
    """Return a number as JavaScript writes it: `42`, also for `42.0`."""
    if isinstance(number, float) and number.is_integer() and abs(number) < _SHORT:
        return str(int(number))
    return str(number)
