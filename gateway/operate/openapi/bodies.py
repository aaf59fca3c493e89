"""The body and the parameters of a route, as OpenAPI says them. Pure."""

from typing import Any

from gateway.dialect.contract import Route
from gateway.dialect.description import Body, Parameter
from gateway.ingest.registry import Installed
from gateway.operate.openapi import samples, security
from gateway.operate.openapi.schemas import reference

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "An id of the request: a retry with the same one is stored once and answered as the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
CONTENT_ENCODING = {
    "name": "Content-Encoding",
    "in": "header",
    "description": "How the body is compressed, if it is.",
    "schema": {"enum": ["gzip", "deflate", "identity"]},
}
PARAMETERS = {"IdempotencyKey": IDEMPOTENCY_KEY, "ContentEncoding": CONTENT_ENCODING}
"""Headers that every route reads."""


def schemas_of(installed: Installed, route: Route) -> tuple[str, ...]:
    """Return the schemas of a route's items; if it does not say them, those of what it reads of an empty object."""
    return route.schemas or tuple(dict.fromkeys(name for name, _ in _probed(installed, route)))


def request_body(installed: Installed, route: Route) -> tuple[dict[str, Any] | None, set[str]]:
    """Return the body that a route takes, and the names of the schemas in it. A GET has none."""
    body = Body() if route.description is None else route.description.body
    if route.method in ("GET", "HEAD") or body is None:
        return None, set()
    names = schemas_of(installed, route)
    if route.description is None:
        body = _guessed(installed, route)
    used = set(body.types.values() or names) if body is not None else set()
    schema = {} if body is None or not used else _with_credentials(installed, route, body, _shape(body, names))
    media: dict[str, Any] = {"schema": schema}
    examples = examples_of(installed, route)
    if examples:
        media["examples"] = {name: {"value": value} for name, value in examples.items()}
    size = f"At most {installed.dialect.body_cap} bytes, also inflated. It is read as JSON whatever Content-Type says."
    return {"required": True, "description": size, "content": {"application/json": media}}, used


def parameters(route: Route, path: str) -> list[dict[str, Any]]:
    """Return the parameters of a route at one of its paths."""
    found: list[dict[str, Any]] = []
    _, opening, rest = path.partition("{")
    if opening:
        name = rest.partition("}")[0]
        found.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
    described = route.description
    if described is not None:
        first = next(iter(described.examples.values()), None) if route.method == "GET" else None
        found += [_parameter(each, first) for each in described.parameters]
    found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if route.method not in ("GET", "HEAD"):
        found.append({"$ref": "#/components/parameters/ContentEncoding"})
    return found


def examples_of(installed: Installed, route: Route) -> dict[str, Any]:
    """Return a route's examples by name, with a placeholder where a credential can stand in the body only."""
    if route.description is None:
        return {}
    fields, is_only_place = security.in_body(security.places_of(installed.dialect, route))
    key = dict.fromkeys(fields, samples.PLACEHOLDER) if is_only_place else {}
    return {
        name: {**key, **value} if key and isinstance(value, dict) else value
        for name, value in route.description.examples.items()
    }


def _parameter(each: Parameter, example: object) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": each.name,
        "in": each.where,
        "description": each.meaning,
        "schema": dict(each.schema),
    }
    if each.is_rest:
        found |= {"style": "form", "explode": True}
    elif isinstance(example, dict) and each.name in example:
        found["example"] = example[each.name]
    return found


def _shape(body: Body, names: tuple[str, ...]) -> dict[str, Any]:
    item = _item(body, names)
    array: dict[str, Any] = {"type": "array", "items": item}
    if body.least:
        array["minItems"] = body.least
    if body.most is not None:
        array["maxItems"] = body.most
    if body.field is not None:
        properties = {body.field: array, **{name: dict(schema) for name, schema in body.beside.items()}}
        return {"type": "object", "required": [body.field], "properties": properties}
    if body.items == "either":
        return {"anyOf": [item, array]}
    return array if body.items == "many" else item


def _item(body: Body, names: tuple[str, ...]) -> dict[str, Any]:
    if not body.types:
        choices = [reference(name) for name in names]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    types: dict[str, list[str | None]] = {}
    for type_, name in body.types.items():
        types.setdefault(name, []).append(type_)
    choices = [{"allOf": [reference(name), _typed(values)]} for name, values in types.items()]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _typed(values: list[str | None]) -> dict[str, Any]:
    typed: dict[str, Any] = {"type": "object", "properties": {"type": {"enum": values}}}
    return typed if None in values else {**typed, "required": ["type"]}


def _with_credentials(installed: Installed, route: Route, body: Body, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with the fields that may have a credential."""
    fields, is_only_place = security.in_body(security.places_of(installed.dialect, route))
    if not fields or (body.items != "one" and body.field is None):
        return schema
    properties = {name: {"type": "string", "description": f"A credential: {kind}."} for name, kind in fields.items()}
    own: dict[str, Any] = {"type": "object", "properties": properties}
    if is_only_place:
        own["required"] = list(fields)
    return {"allOf": [schema, own]}


def _guessed(installed: Installed, route: Route) -> Body | None:
    """Return how items lie in the body of a route that does not say it, as far as that can be seen."""
    is_one = any(payload == {} for _, payload in _probed(installed, route, b"{}"))
    is_many = any(payload == {} for _, payload in _probed(installed, route, b"[{}]"))
    if is_one and is_many:
        return Body(items="either")
    return Body(items="many") if is_many else Body() if is_one else None


def _probed(installed: Installed, route: Route, *bodies: bytes) -> list[tuple[str, object]]:
    """Return schema and payload of each item that a route reads of these bodies: of nearly nothing."""
    found = []
    for body in bodies or (b"{}", b"[{}]"):
        try:
            items = route.parse(samples.request_of(route, body)).items
        except Exception:  # noqa: S112 (somebody else's code, or a refusal)
            continue
        found += [(item.schema, item.payload) for item in items if item.schema in installed.schemas]
    return found
