"""A dialect for tests of what needs one but never speaks it: two scopes, a secret key, a public site, an app id."""

from gateway.dialect import CredentialKind, Dialect, Switch
from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Refusal


def refuse(_request: Request, _refusal: Refusal) -> Response:
    return Response(400)


API_KEY = CredentialKind("api_key", "acme_{token}", normalize=lambda value: value.removeprefix("Bearer "))
SITE = CredentialKind("site", "{uuid}", public=True, is_site=True, normalize=str.lower)
APP = CredentialKind("app", "app_{token}", public=True, needs_origin=True)

dialect = Dialect(
    name="acme",
    title="Acme",
    schemas="jsonschemas.canonical",
    prefixes=(),
    kinds=(API_KEY, SITE, APP),
    routes=lambda _switches: (),
    refuse=refuse,
    setting='init({"key": "{value}", "url": "{url}"})',
    curl="curl {url}/acme -H 'x-key: {value}' -d '{}'",
    scopes=("read", "write"),
    switches=(Switch("strict", "be strict"), Switch("lenient", "be lenient")),
)
