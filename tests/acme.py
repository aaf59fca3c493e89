"""A dialect for tests of what needs one but never speaks it: two scopes, a secret key, a public site, an app id."""

from gateway.dialect import Dialect, Kind, Switch
from gateway.message import Request, Response
from gateway.outcome import Refusal


def refuse(_request: Request, _refusal: Refusal) -> Response:
    return Response(400)


API_KEY = Kind("api_key", "acme_{token}", canonical=lambda value: value.removeprefix("Bearer "))
SITE = Kind("site", "{uuid}", public=True, is_site=True, canonical=str.lower)
APP = Kind("app", "app_{token}", public=True, needs_origin=True)

dialect = Dialect(
    name="acme",
    title="Acme",
    schemas="jsonschemas.canonical",
    owns=(),
    kinds=(API_KEY, SITE, APP),
    routes=lambda _switches: (),
    refuse=refuse,
    setting='init({"key": "{value}", "url": "{url}"})',
    curl="curl {url}/acme -H 'x-key: {value}' -d '{}'",
    scopes=("read", "write"),
    switches=(Switch("strict", "be strict"), Switch("lenient", "be lenient")),
)
