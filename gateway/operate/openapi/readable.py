"""An OpenAPI document as a page shows it: endpoints with all their paths, fields in tables, examples as text. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from gateway.operate.openapi.fields import Form, forms_of, resolved, shape_of, type_text

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@attrs.frozen
class Path:
    """One path of an endpoint. One that the dialect does not answer at the root is served under its mount only."""

    path: str
    is_at_root: bool


@attrs.frozen
class CredentialRow:
    """A place where a credential may be: `where` is query or header."""

    where: str
    name: str
    meaning: str


@attrs.frozen
class ParameterRow:
    """A parameter as a row of a table: `where` is path, query or header."""

    name: str
    where: str
    type: str
    is_required: bool
    meaning: str


@attrs.frozen
class Example:
    """An example by its name, as text: JSON, or a query."""

    name: str
    text: str


@attrs.frozen
class Answer:
    """What is answered with one status."""

    status: str
    meaning: str
    media_types: tuple[str, ...]
    headers: tuple[str, ...]
    forms: tuple[Form, ...]
    examples: tuple[Example, ...]


@attrs.frozen
class Endpoint:
    """One endpoint with all of its paths. `shape` says what the body is, `credentials` where they go, one of them."""

    id: str
    method: str
    paths: tuple[Path, ...]
    summary: str
    description: str
    credentials: tuple[CredentialRow, ...]
    parameters: tuple[ParameterRow, ...]
    shape: str
    forms: tuple[Form, ...]
    examples: tuple[Example, ...]
    answers: tuple[Answer, ...]


def endpoints(document: Mapping[str, Any]) -> list[Endpoint]:
    """Return the endpoints of a dialect's document, in its order."""
    found: dict[str, Endpoint] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            own = _endpoint(document, method, Path(path, "servers" not in item), item[method])
            first = found.get(own.id)
            found[own.id] = own if first is None else attrs.evolve(first, paths=(*first.paths, *own.paths))
    return list(found.values())


def _endpoint(document: Mapping[str, Any], method: str, path: Path, operation: Mapping[str, Any]) -> Endpoint:
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = media.get("schema")
    id_, _, number = operation["operationId"].rpartition("_")
    parameters = [resolved(document, each) for each in operation.get("parameters", ())]
    return Endpoint(
        id=id_ if number.isdecimal() else operation["operationId"],
        method=method.upper(),
        paths=(path,),
        summary=_plain(operation.get("summary", "")),
        description=_plain(operation.get("description", "")),
        credentials=tuple(_credentials(document, operation)),
        parameters=tuple(_row(document, each) for each in parameters),
        shape="" if schema is None else shape_of(document, schema),
        forms=() if schema is None else forms_of(document, schema),
        examples=tuple(_examples(media)),
        answers=tuple(
            _answer(document, status, resolved(document, each)) for status, each in operation["responses"].items()
        ),
    )


def _credentials(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[CredentialRow]:
    schemes = document["components"].get("securitySchemes", {})
    for requirement in operation.get("security", ()):
        for name, scopes in requirement.items():
            scheme = schemes[name]
            meaning = f"{scheme['description']} It needs the scope {scopes[0]}." if scopes else scheme["description"]
            is_bearer = scheme["type"] == "http"
            where, field = ("header", "Authorization: Bearer …") if is_bearer else (scheme["in"], scheme["name"])
            yield CredentialRow(where, field, _plain(meaning))


def _row(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> ParameterRow:
    return ParameterRow(
        name=parameter["name"],
        where=parameter["in"],
        type=type_text(document, parameter.get("schema", {})),
        is_required=parameter.get("required", False),
        meaning=_plain(parameter.get("description", "")),
    )


def _answer(document: Mapping[str, Any], status: str, answer: Mapping[str, Any]) -> Answer:
    content = answer.get("content", {})
    media = content.get("application/json", {})
    schema = media.get("schema")
    return Answer(
        status=status,
        meaning=_plain(answer["description"]),
        media_types=tuple(content),
        headers=tuple(answer.get("headers", ())),
        forms=() if not schema else forms_of(document, schema),
        examples=tuple(_examples(media)),
    )


def _plain(text: str) -> str:
    """Return a description, which is Markdown, without the marks of code in it."""
    return text.replace("`", "")


def _examples(media: Mapping[str, Any]) -> Iterator[Example]:
    for name, each in media.get("examples", {}).items():
        yield Example(name.replace("_", " "), json.dumps(each["value"], indent=2, ensure_ascii=False))
