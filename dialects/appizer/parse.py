"""Requests to submissions: credentials, and the split of a body into items. Pure, and survives any body.

Who sends (header documented, app id inferred): `Authorization: Bearer <key>`; only without one an app id, from the
body, the header X-App-Id or the query.
"""

from collections.abc import Callable

import attrs

from dialects.appizer.limits import BATCH_LIMIT
from dialects.appizer.wire import APP_ID_FIELDS, BATCH_REST, Fields, unknown
from gateway.dialect import NOTHING, Credential, Fault, Item, Request, Submission, Undecodable, decode

Parse = Callable[[Request], Submission]

_BATCH = frozenset({"events"})


def parse_one(kind: str, schema: str, request: Request) -> Submission:
    """Return the submission of an endpoint whose body is one item."""
    body, problem = _read(request)
    submission = _opened(request, body)
    if problem is None and not isinstance(body, dict):
        problem = Fault("not_an_object", detail={"received": _type_of(body)})
    if problem is not None:
        return attrs.evolve(submission, fault=problem)
    return Submission(submission.credentials, (Item(kind, schema, body),), context=submission.context)


def parse_batch(request: Request) -> Submission:
    """Return the submission of a batch: its array is the body's own concern, its elements are items."""
    body, problem = _read(request)
    submission = _opened(request, body)
    problem = problem or _batch_fault(body)
    if problem is not None or not isinstance(body, dict):
        return attrs.evolve(submission, fault=problem)
    events = body["events"]
    if len(body) > 1:
        events = _with_rest(events, unknown(body, _BATCH, _app_id_of(submission)))
    items = tuple([Item("event", "event", event) for event in events])
    return Submission(submission.credentials, items, context=submission.context)


def _read(request: Request) -> tuple[object, Fault | None]:
    try:
        return decode(request.body), None
    except Undecodable as error:
        return None, error.fault


def _batch_fault(body: object) -> Fault | None:
    if not isinstance(body, dict):
        if isinstance(body, list):
            return _type_fault("", "object", body)
        return Fault("not_an_object", detail={"received": _type_of(body)})
    events = body.get("events")
    if events is None:
        return Fault("required", "/events")
    if not isinstance(events, list):
        return _type_fault("/events", "array", events)
    if not events:
        return Fault("minItems", "/events", {"limit": 1, "received": 0})
    if len(events) > BATCH_LIMIT:
        return Fault("maxItems", "/events", {"limit": BATCH_LIMIT, "received": len(events)})
    return None


def _with_rest(events: list[object], rest: Fields) -> list[object]:
    """Return the events with a batch's own unknown fields in the first: kept once, not a hundred times."""
    first = events[0]
    if not rest or not isinstance(first, dict):
        return events
    return [{**first, BATCH_REST: rest}, *events[1:]]


def _opened(request: Request, body: object) -> Submission:
    """Return the submission without its items: its credential, and what a browser's connection says of the user.

    A server's own address and user agent say nothing of the user; its context is empty.
    """
    authorization = request.headers.get("authorization", "").split(None, 1)
    if authorization:
        is_bearer = len(authorization) == 2 and authorization[0].lower() == "bearer"
        token = authorization[1].strip() if is_bearer else ""  # no key is empty: INVALID_API_KEY
        return Submission((Credential("api_key", token),))
    app_id = _app_id(request, body)
    if app_id is None:
        return Submission()
    context: dict[str, object] = {"app": {"id": app_id}}
    user_agent = request.headers.get("user-agent")
    if user_agent:
        context["user_agent"] = user_agent if user_agent.isascii() else _mended(user_agent)
    return Submission((Credential("app", app_id),), context=context)


def _app_id(request: Request, body: object) -> str | None:
    sent = [body.get(name) for name in APP_ID_FIELDS] if isinstance(body, dict) else []
    sent.append(request.headers.get("x-app-id"))
    sent += [request.query.get(name) for name in APP_ID_FIELDS]
    return next((value for value in sent if isinstance(value, str) and value.strip()), None)


def _app_id_of(submission: Submission) -> str | None:
    return None if submission.context is NOTHING else submission.credentials[0].value


def _mended(header: str) -> str:
    """Return a header whose bytes were not UTF-8 (lone surrogates stand for them) as a text that can be stored."""
    return header.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _type_fault(pointer: str, expected: str, value: object) -> Fault:
    return Fault("type", pointer, {"expected": expected, "received": _type_of(value)})


def _type_of(value: object) -> str:
    """Return the JSON name of a value's type; what is none of the others was a number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"
