"""A request to a submission: the key, a browser's address and user agent, and the one item that the body is.

Pure, and runs before authentication: it survives any body. Each function is named after its route.
"""

from functools import partial
from typing import Any

from dialects.browsee import credentials
from dialects.browsee.wire import ID_FIELDS
from gateway.dialect import Fault, Item, Request, Submission, js_number, json_or_fault, visitor

NOT_OBJECT = Fault("not_object")


def _one(request: Request, *, kind: str, stringify_ids: bool = False) -> Submission:
    """Return the submission of one call; `kind` is its item kind and its schema.

    The key leaves the body here, so that no event can have it. A list is refused, since there is no batch. The key is
    then read from its first element: without one the answer would be about the key.
    """
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(fault=fault)
    if isinstance(body, list):
        return Submission(credentials.find(body[0]) if body else (), fault=NOT_OBJECT)
    if not isinstance(body, dict):
        return Submission(fault=NOT_OBJECT)
    shown = credentials.find(body)
    body.pop(credentials.FIELD, None)
    if stringify_ids:
        _stringify_ids(body)
    return Submission(shown, (Item(kind, kind, body),), context=visitor(request))


track = partial(_one, kind="track")
identify = partial(_one, kind="identify")


def _stringify_ids(body: dict[str, Any]) -> None:
    """Replace numeric ids by their text in JavaScript: `42` and `42.0` are the same number, so the same id."""
    for name in ID_FIELDS:
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            body[name] = js_number(value)
