"""A dialect that nobody speaks, for what belongs to one: credentials and rejected requests."""

from gateway.dialect import CredentialKind, Dialect, Refusal, Request, Response


def _refuse(_request: Request, _refusal: Refusal) -> Response:
    return Response(400)


API_KEY = CredentialKind("api_key", "toy_{token}", normalize=lambda value: value.removeprefix("Bearer "))
SITE = CredentialKind("site", "{uuid}", public=True, is_site=True, normalize=str.lower)

TOY = Dialect(
    name="toy",
    title="Toy",
    schemas="jsonschemas.canonical",
    prefixes=(),
    kinds=(API_KEY, SITE),
    routes=lambda _switches: (),
    refuse=_refuse,
    setting='init({"key": "{value}", "url": "{url}"})',
    curl="curl {url}/toy -H 'x-key: {value}' -d '{}'",
    scopes=("read", "write"),
)
"""A dialect that nobody speaks."""
