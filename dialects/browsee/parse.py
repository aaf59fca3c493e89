"""A request to the one item that it holds, and to the key that lies in its body. Pure; runs before authentication."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.dialect import NOTHING, Credential, Fault, Item, Request, Submission, Undecodable, decode

KIND = "api_key"
Prepare = Callable[[dict[str, Any]], None]


def as_sent(_body: dict[str, Any]) -> None:
    """Leave a body as it came."""


def stringify_ids(body: dict[str, Any]) -> None:
    """Write numeric ids as text, whole ones without a fraction: `42` and `42.0` are the same JavaScript number."""
    for name in ("userId", "anonymousId"):
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            body[name] = str(int(value) if value == value // 1 else value)


def parse(kind: str, prepare: Prepare, request: Request) -> Submission:
    """Return what one request hands in; `kind` names the item's kind and its schema.

    The key leaves the body here, so that nothing behind authentication ever sees it. A body that cannot be read has
    no key, and is refused for that. A list is no batch, but its first entry tells who hoped so.
    """
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return Submission(fault=problem.fault)
    if not isinstance(body, dict):
        return Submission(_credentials(body[0] if isinstance(body, list) and body else None), fault=Fault("not_object"))
    credentials = _credentials(body)
    body.pop("apiKey", None)
    prepare(body)
    return Submission(credentials, (Item(kind, kind, body),), context=_surroundings(request))


def _credentials(body: object) -> tuple[Credential, ...]:
    key = body.get("apiKey") if isinstance(body, dict) else None
    return (Credential(KIND, key),) if isinstance(key, str) and key else ()


def _surroundings(request: Request) -> Mapping[str, object]:
    """Return a browser's surroundings; `ip` is only a place, which `translate` fills with what may be kept of it.

    The documented callers are servers, whose address and agent are not the person's: only an Origin shows a browser.
    """
    headers = request.headers
    if "origin" not in headers:
        return NOTHING
    agent = headers.get("user-agent")
    return {"ip": None, "user_agent": agent} if agent else {"ip": None}
