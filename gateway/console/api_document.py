"""The OpenAPI document of the console's own API, put together from what the pages say of theirs. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from gateway import __version__

METHODS = ("get", "post", "put", "patch", "delete")
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What is wrong, in one line."}},
}
ERRORS: Mapping[str, str] = {
    "400": "The request says something impossible.",
    "401": "Neither the admin token nor a session.",
    "403": "A change without the session's CSRF token, or asked for by another site.",
    "404": "There is nothing under this path.",
    "429": "Too many wrong tokens: Retry-After says when to try again.",
    "503": "The store cannot be read now, or too much is being read: Retry-After says when to try again.",
}
"""What every operation may answer, by status."""


class Page(Protocol):
    """A page's module, as far as the document needs it."""

    OPERATIONS: Mapping[str, object]
    """The path items of its paths below /api/, of OpenAPI 3.1."""


def document(pages: Iterable[Page]) -> dict[str, Any]:
    """Return the document. Each operation gets the errors that any may answer, beside its own answers."""
    paths: dict[str, Any] = {}
    for page in pages:
        for path, item in page.OPERATIONS.items():
            assert isinstance(item, Mapping), "a path item is an object"
            paths[path] = {key: _with_errors(value) if key in METHODS else value for key, value in item.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gateway console",
            "version": __version__,
            "description": "What the pages of the console show and change. Times are RFC 3339, UTC.",
        },
        "servers": [{"url": "/"}],
        "security": [{"adminToken": []}, {"session": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "adminToken": {"type": "http", "scheme": "bearer", "description": "`gateway admin-token` makes one."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "gateway_console",
                    "description": "Of a browser that is logged in. Changes need the header X-CSRF-Token too.",
                },
            },
            "responses": {
                f"Error{status}": {
                    "description": meaning,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for status, meaning in ERRORS.items()
            },
            "schemas": {"Error": ERROR},
        },
    }


def _with_errors(operation: Mapping[str, Any]) -> dict[str, Any]:
    errors = {status: {"$ref": f"#/components/responses/Error{status}"} for status in ERRORS}
    return {**operation, "responses": {**errors, **operation["responses"]}}
