"""The OpenAPI path items of the pages Quarantine and Rejected: what their paths below /api/ take and answer."""

from collections.abc import Mapping
from typing import Any

import attrs

from gateway.storage.held.groups import GROUPED_ITEMS, GROUPED_REJECTIONS, QuarantineFilter

MOST_REPLAYED = 100
"""How many items one request replays: each is a commit of its own."""
VERDICTS = ("quarantined", "filtered")
FILTER = tuple(field.name for field in attrs.fields(QuarantineFilter))
REQUEST = {
    "type": "object",
    "properties": {
        "method": {"type": "string"},
        "path": {"type": "string"},
        "query": {"description": "An object of texts; a text where it is damaged."},
        "headers": {"description": "The same. Credentials are redacted."},
        "client_ip": {"type": ["string", "null"]},
        "body": {"type": "string"},
        "body_base64": {"type": "string", "description": "In place of `body` where that is not UTF-8."},
    },
    "required": ["method", "path", "query", "headers", "client_ip"],
    "additionalProperties": False,
}

FAULTS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "pointer": {"type": "string"},
            "detail": {},
            "item": {"type": "integer"},
            "sentence": {"type": "string"},
        },
        "required": ["code", "sentence"],
    },
}


def answers(summary: str, schema: Mapping[str, object], parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return an operation that answers with JSON of a schema. `parameters` are those of the query, described."""
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {"200": {"description": "As asked.", "content": {"application/json": {"schema": dict(schema)}}}},
    }
    if parameters:
        operation["parameters"] = [
            {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
            for name, text in parameters.items()
        ]
    return operation


def changes(summary: str, schema: Mapping[str, object], body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Return an operation that changes something. `body` is the schema of the JSON object that it takes."""
    operation = answers(summary, schema)
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": dict(body)}}}
    return operation


def by_number(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a path item whose path has `{number}`."""
    parameter = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
    return {"parameters": [parameter], **item}


def objects(properties: Mapping[str, object]) -> dict[str, object]:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT, _COUNT, _TIME = {"type": "string"}, {"type": "integer"}, {"type": "string", "format": "date-time"}
_MAYBE = {"type": ["string", "null"]}
_BEFORE = {"before": {"type": ["integer", "null"], "description": "The next page asks for what is before this id."}}
_NAME = {"project": _TEXT, "dialect": _TEXT, "route": _TEXT, "verdict": {"enum": list(VERDICTS)}}
_FAULT = {"code": _TEXT, "pointer": _TEXT, "sentence": _TEXT}
GROUP = objects({**_NAME, **_FAULT, "count": _COUNT, "oldest": _TIME, "newest": _TIME, "example": _COUNT})
GROUPS = objects(
    {
        "groups": {"type": "array", "items": GROUP},
        "counted": _COUNT,
        "left_out": {**_COUNT, "description": "How many smaller groups are not listed."},
        "complete": {"type": "boolean", "description": f"False where only the newest {GROUPED_ITEMS} were looked at."},
    }
)
_HEAD = {"id": _COUNT, "received_at": _TIME, **_NAME, "message_id": _MAYBE}
ITEMS = objects({"items": {"type": "array", "items": objects({**_HEAD, **_FAULT, "payload": _MAYBE})}, **_BEFORE})
ITEM = objects(
    {
        **_HEAD,
        "item": {"type": ["integer", "null"], "description": "Its index in the request."},
        "faults": FAULTS,
        "payload": {**_MAYBE, "description": "Its JSON, as text: numbers of any length survive."},
        "note": _MAYBE,
        "receipt": _MAYBE,
        "request": {"anyOf": [REQUEST, {"type": "null"}]},
        "size": {"type": ["integer", "null"], "description": "The bytes of a request that was not kept."},
        "sha256": _MAYBE,
    }
)
REPLAYED = objects(
    {
        "stored": _COUNT,
        "duplicate": _COUNT,
        "failed": {"type": "array", "items": objects({"id": _COUNT, "why": _TEXT})},
        "before": {"type": ["integer", "null"], "description": "The rest of the group is before this id."},
    }
)
_ASKED = {
    **dict.fromkeys(("project", "dialect", "route", "verdict"), "Only items with this."),
    "code": "Only items whose first fault has this code.",
    "pointer": "Only items whose first fault is at this place; indexes are `*`.",
}
QUARANTINE: Mapping[str, object] = {
    "/api/quarantine": {
        "get": answers("Held items, newest first.", ITEMS, {**_ASKED, "before": "Only items with ids below this."}),
    },
    "/api/quarantine/groups": {
        "get": answers("Held items by their first fault, the largest groups first.", GROUPS, _ASKED)
    },
    "/api/quarantine/replay": {
        "post": changes(
            f"Replay the newest {MOST_REPLAYED} items of a group.",
            REPLAYED,
            {
                "type": "object",
                "properties": {**dict.fromkeys(FILTER, _TEXT), "before": _COUNT},
                "additionalProperties": False,
            },
        ),
    },
    "/api/quarantine/{number}": by_number({"get": answers("One held item whole, with its request.", ITEM)}),
    "/api/quarantine/{number}/replay": by_number({"post": changes("Replay one item.", REPLAYED)}),
    "/api/quarantine/{number}/drop": by_number(
        {"post": changes("Remove one item for good.", objects({"dropped": _COUNT}))}
    ),
}

_WHOSE = {"reason": _TEXT, "project": _MAYBE, "credential_id": _MAYBE, "origin": _MAYBE, "dialect": _TEXT}
_REJECTED_HEAD = {
    "id": _COUNT,
    "received_at": _TIME,
    **_WHOSE,
    "route": _MAYBE,
    "status": _COUNT,
    "method": _TEXT,
    "path": _TEXT,
    "client_ip": _MAYBE,
    "request_id": _MAYBE,
    "cut": {"type": "boolean", "description": "Whether only the beginning of the body was kept."},
    "replayed": {**_MAYBE, "description": "How its replay ended."},
}
_WHOSE_ASKED = {
    **dict.fromkeys(("reason", "dialect"), "Only requests with this."),
    **dict.fromkeys(("project", "credential_id", "origin"), "Only requests with this; empty: without one."),
}
REJECTED: Mapping[str, object] = {
    "/api/rejected": {
        "get": answers(
            "Rejected requests, newest first.",
            objects(
                {"requests": {"type": "array", "items": objects({**_REJECTED_HEAD, "sentence": _MAYBE})}, **_BEFORE}
            ),
            {**_WHOSE_ASKED, "before": "Only requests with ids below this."},
        ),
    },
    "/api/rejected/groups": {
        "get": answers(
            f"The newest {GROUPED_REJECTIONS} rejected requests of each kind by reason, key and origin.",
            objects(
                {
                    "groups": {
                        "type": "array",
                        "items": objects(
                            {**_WHOSE, "count": _COUNT, "newest": _TIME, "example": _COUNT, "advice": _TEXT}
                        ),
                    }
                }
            ),
            {"project": "Only this project.", "since": "Only requests since this time, or of this age."},
        ),
    },
    "/api/rejected/{number}": by_number(
        {
            "get": answers(
                "One rejected request whole.",
                objects({**_REJECTED_HEAD, "faults": FAULTS, "advice": _TEXT, "request": REQUEST}),
            )
        }
    ),
    "/api/rejected/{number}/replay": by_number(
        {
            "post": changes(
                "Store the items of a request that are valid now.",
                objects(
                    {
                        "stored": _COUNT,
                        "duplicate": _COUNT,
                        "failed": {"type": "array", "items": objects({"item": _COUNT, "why": _TEXT})},
                        "project": {**_MAYBE, "description": "The project that a stranger's request was booked to."},
                    }
                ),
                {
                    "type": "object",
                    "properties": {"project": {**_TEXT, "description": "Where a stranger's request goes."}},
                    "additionalProperties": False,
                },
            )
        }
    ),
}
