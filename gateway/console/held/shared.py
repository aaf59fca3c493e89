"""What the pages Quarantine and Rejected share: facts of kept requests and faults, and filters in a query. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.console.page import MAX_PARAM, bad_request
from gateway.dialect.timestamps import from_millis
from gateway.operate.held.kept_json import explained, pretty

MAX_SHOWN = 64 * 1024
"""Characters of a payload or a body that a page shows; /api/ gives all of it."""
MAX_INDENTED = 4 * MAX_SHOWN
"""Characters that it may have over several lines; otherwise it is shown as it is."""
DAMAGED = "this record is damaged"
NUMBER = "{number:[0-9]{1,18}}"
"""The id of an item or a request in the path of a route."""


def given(request: web.Request, name: str) -> str | None:
    """Return a parameter of the query as it is, also an empty one; None without it."""
    value = request.query.get(name)
    if value is not None and len(value) > MAX_PARAM:
        raise bad_request(f"{name} is longer than {MAX_PARAM} characters")
    return value


def number_in(request: web.Request) -> int:
    """Return the id in a path with NUMBER."""
    return int(request.match_info["number"])


def link(path: str, query: Mapping[str, object]) -> str:
    """Return a path with a query of all that is not None. Half surrogates are sent as U+FFFD."""
    known = {name: str(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(known, errors='replace')}" if known else path


def faults_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row's faults with a sentence each; of a damaged row one that says so."""
    try:
        return explained(row["faults"])
    except (ValueError, TypeError, RecursionError):
        return [{"code": "damaged", "sentence": DAMAGED}]


def time_of(millis: int) -> str:
    """Return milliseconds since the epoch as RFC 3339."""
    return from_millis(millis) or ""


def beginning(text: str) -> tuple[str, int]:
    """Return what a page shows of a text, over several lines if it is JSON, and the length of what it leaves out."""
    if len(text) > MAX_SHOWN:
        return text[:MAX_SHOWN], len(text) - MAX_SHOWN
    return pretty(text, MAX_INDENTED), 0
