"""What a case may leave out, filled in and left out again. Pure.

Old and new cases mean the same: a case is compared whole, after all of it was filled in.
"""

from collections.abc import Mapping
from typing import Any

from gateway.testing.corpus.message import NOW_TEXT

SAME_IN_ALL = {"project": "default", "timestamp": NOW_TEXT, "received_at": NOW_TEXT}
"""Fields that an event has where a case does not say otherwise, beside `dialect`. All others are null or empty."""
EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("name", "sent_at", "anonymous_id", "user_id", "previous_id", "group_id", "session_id")),
    "properties": {},
    "traits": {},
    "context": {},
}


def filled(document: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    """Return a case with everything that its file left out."""
    common = document.get("headers", {})
    steps = [{**step, "request": _with_headers(step["request"], common)} for step in document["steps"]]
    case = {name: value for name, value in document.items() if name != "headers"}
    case |= {"steps": steps, "events": [filled_event(event, dialect) for event in document.get("events", ())]}
    if "quarantined" in document:
        case["quarantined"] = [filled_item(item) for item in document["quarantined"]]
    return case


def filled_event(event: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    """Return an expected event, whole."""
    return {"dialect": dialect, **SAME_IN_ALL, **EMPTY, **event}


def short_event(event: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    """Return an event without what a case may leave out."""
    known = {"dialect": dialect, **SAME_IN_ALL, **EMPTY}
    return {name: value for name, value in event.items() if name not in known or value != known[name]}


def filled_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an expected quarantined item, whole."""
    return {**item, "faults": [{"detail": {}, **fault} for fault in item["faults"]]}


def short_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a quarantined item without the details of faults that have none."""
    return {
        **item,
        "faults": [
            {name: value for name, value in fault.items() if (name, value) != ("detail", {})}
            for fault in item["faults"]
        ],
    }


def _with_headers(request: Mapping[str, Any], common: Mapping[str, str]) -> dict[str, Any]:
    own = request.get("headers", {})
    names = {name.lower() for name in own}
    headers = {**{name: value for name, value in common.items() if name.lower() not in names}, **own}
    return {**request, "headers": headers} if headers else dict(request)
