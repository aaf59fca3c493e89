"""What a dialect may say of its wire format, for its OpenAPI document. Nothing that is served depends on these facts.

A dialect without them has a document all the same, made from its routes, its schemas and its answers. These facts add
what cannot be seen there: how items lie in a body, where credentials go, what the answers' fields are.
"""

from collections.abc import Mapping
from typing import Literal

import attrs

from gateway.dialect.checks import check

JsonSchema = Mapping[str, object]
"""A JSON Schema (2020-12) that refers to nothing outside itself."""

NO_SCHEMAS: Mapping[str, JsonSchema] = {}
NO_TYPES: Mapping[str | None, str] = {}
NO_EXAMPLES: Mapping[str, object] = {}


@attrs.frozen
class CredentialPlace:
    """One place where a request may show a credential: a header, a query parameter, or a field of its JSON body.

    `scheme` is the word in front of the value in a header.

        CredentialPlace("header", "Authorization", "Bearer")
    """

    where: Literal["header", "query", "body"]
    name: str
    scheme: str | None = None

    def __attrs_post_init__(self) -> None:
        """Check the place by itself. Raises ValueError."""
        check(self.where in ("header", "query", "body"), f"{self.where!r} is no place of a credential")
        check(
            self.scheme is None or self.where == "header", f"credential place {self.name}: only a header has a scheme"
        )


@attrs.frozen
class Body:
    """How the items of a route lie in its JSON body.

    The body is one item, an array of them, or either. With a `field` it is an object whose field of that name is the
    array, and `beside` has the schemas of its other fields. The array has `least` to `most` items. `types` gives the
    schema of an item by its field `type`; under None stands that of an item without one.

        Body(items="many", field="events", least=1, most=100)
    """

    items: Literal["one", "many", "either"] = "one"
    field: str | None = None
    least: int = 0
    most: int | None = None
    beside: Mapping[str, JsonSchema] = NO_SCHEMAS
    types: Mapping[str | None, str] = NO_TYPES

    def __attrs_post_init__(self) -> None:
        """Check the body by itself. Raises ValueError."""
        check(self.items in ("one", "many", "either"), f"a body has one item, many or either, not {self.items!r}")
        check(self.field is None or self.items == "many", "the array in a body's field has many items")


@attrs.frozen
class Parameter:
    """A query parameter or a header that a route reads, credentials apart.

    `is_rest` marks the one that stands for all query parameters that are not named: its schema is an object's.
    """

    where: Literal["query", "header"]
    name: str
    schema: JsonSchema
    meaning: str
    is_rest: bool = False


@attrs.frozen
class Description:
    """What a route takes and answers, beside its `schemas`.

    `summary` is one line. `examples` are bodies by name, for a route without a body the query parameters; each is
    accepted as it stands with a credential, which is left out of it. `answer` is the schema of the JSON with which an
    accepted request is answered. `credentials` are the places of this route, by kind, where they are not those of the
    kinds.
    """

    summary: str
    body: Body | None = Body()
    parameters: tuple[Parameter, ...] = ()
    examples: Mapping[str, object] = NO_EXAMPLES
    answer: JsonSchema | None = None
    credentials: Mapping[str, tuple[CredentialPlace, ...]] | None = None
