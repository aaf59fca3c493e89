"""The answers of an endpoint, as OpenAPI says them: taken from the functions that answer. Pure."""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import attrs
import orjson

from gateway.dialect.contract import Route, StaticRoute
from gateway.dialect.description import JsonSchema
from gateway.dialect.message import Response
from gateway.dialect.outcome import Reason
from gateway.ingest.registry import Installed
from gateway.operate.openapi import samples
from gateway.operate.openapi.bodies import examples_of
from gateway.operate.openapi.schemas import REFUSAL, error_of, reference

_MEANINGS: Mapping[Reason, str] = {
    Reason.TOO_LARGE: "The body is too large, or has too many items or values.",
    Reason.ENCODING: "The Content-Encoding is not known.",
    Reason.TIMEOUT: "The body did not arrive in time.",
    Reason.NO_CREDENTIAL: "No credential was sent.",
    Reason.UNKNOWN_CREDENTIAL: "The credential is not known.",
    Reason.REVOKED_CREDENTIAL: "The credential was revoked or has expired.",
    Reason.MISSING_SCOPE: "The credential does not have the scope.",
    Reason.ORIGIN: "The credential may not be used from this Origin.",
    Reason.UNKNOWN_SITE: "The site is not known.",
    Reason.FOREIGN_SITE: "The site belongs to another project.",
    Reason.LIMITED: "Too many requests: a limit that the operator set.",
    Reason.BODY: "The body cannot be read, or has the wrong shape.",
    Reason.INVALID: "An item is not valid.",
    Reason.IDEMPOTENCY_KEY: "The Idempotency-Key is malformed.",
    Reason.CONFLICT: "The Idempotency-Key was used before, with another body.",
    Reason.UNAVAILABLE: "Nothing can be stored now: try again.",
    Reason.INTERNAL: "A bug of the gateway: nothing was stored.",
}
STORED = "Everything that the answer covers is stored."
_OWN_HEADERS = {
    "X-Gateway-Receipt": "The request's number, for `gateway receipt`.",
    "Idempotency-Replayed": "`true` if this answers a retry.",
}


@attrs.define
class _Answers:
    """The answers that have one status, while they are collected."""

    sentences: list[str] = attrs.field(factory=list)
    headers: dict[str, Any] = attrs.field(factory=dict)
    content: dict[str, Any] = attrs.field(factory=dict)

    def add(self, name: str, sentence: str, response: Response | None, schema: dict[str, Any]) -> None:
        """Add an answer, which is an example of this name; `schema` is that of its JSON."""
        if sentence not in self.sentences:
            self.sentences.append(sentence)
        if response is None:
            return
        for header, value in response.headers.items():
            type_ = "integer" if value.isdecimal() else "string"
            self.headers.setdefault(header, {"schema": {"type": type_}})
        if response.body is None:
            return
        media_type = response.content_type.partition(";")[0]
        media = self.content.setdefault(media_type, {})
        if media_type == "application/json":
            media.setdefault("schema", schema)
            with suppress(orjson.JSONDecodeError):  # somebody else's JSON
                media.setdefault("examples", {})[name] = {"value": orjson.loads(response.body)}

    def document(self) -> dict[str, Any]:
        """Return OpenAPI's Response Object."""
        found: dict[str, Any] = {"description": " ".join(self.sentences)}
        if self.headers:
            found["headers"] = self.headers
        if self.content:
            found["content"] = self.content
        return found


def responses(installed: Installed, route: Route) -> dict[str, Any]:
    """Return every answer of a route by its status."""
    found: dict[str, _Answers] = {}
    described = route.description
    schema = _schema(None if described is None else described.answer)
    for name, example in examples_of(installed, route).items():
        response = samples.accepted(route, example)
        if response is not None:
            found.setdefault(str(response.status), _Answers()).add(name, STORED, response, schema)
    if not found:
        found["2XX"] = _Answers([STORED])
    for answers in found.values():
        answers.headers |= {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in _OWN_HEADERS.items()
        }
    error = {} if error_of(installed.dialect) is None else reference(REFUSAL)
    for reason, response in samples.refused(installed, route):
        status = reason.status if response is None else response.status
        answers = found.setdefault(str(status), _Answers())
        answers.add(reason.value, _MEANINGS[reason], response, error)
        if reason.retryable and reason in (Reason.LIMITED, Reason.UNAVAILABLE):
            answers.headers.setdefault("Retry-After", {"schema": {"type": "integer"}})
    return {status: found[status].document() for status in sorted(found)}


def static_responses(route: StaticRoute) -> dict[str, Any]:
    """Return the one answer of an endpoint that stores nothing."""
    response = samples.static(route)
    if response is None:
        return {"default": {"description": "What the dialect answers here without storing anything."}}
    answers = _Answers()
    answers.add("answer", f"{HTTPStatus(response.status).phrase}: nothing is stored.", response, {})
    return {str(response.status): answers.document()}


def shared(paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that several operations have, by a name, and refer to them there instead.

    A dialect answers most errors alike on all of its paths; written out each time they would be most of the document.
    """
    seen: dict[bytes, list[dict[str, Any]]] = {}
    for item in paths.values():
        for operation in item.values():
            if isinstance(operation, dict):
                for status, answer in operation["responses"].items():
                    seen.setdefault(orjson.dumps((status, answer)), []).append(operation["responses"])
    found: dict[str, Any] = {}
    for key, users in seen.items():
        status, answer = orjson.loads(key)
        if len(users) > 1:
            number = sum(name.partition(".")[0] == status for name in found) + 1
            name = status if number == 1 else f"{status}.{number}"
            found[name] = answer
            for own in users:
                own[status] = {"$ref": f"#/components/responses/{name}"}
    return found


def _schema(schema: JsonSchema | None) -> dict[str, Any]:
    return {} if schema is None else dict(schema)
