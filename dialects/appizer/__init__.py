"""The dialect of Appizer: server calls with an API key, browser calls with an app id.

Sources: the vendor's page on `POST /events` (documented), its pages on batch, users, errors and rate limits
(documented), its diagrams (`/events/track`), and what its Web SDK must do by its options (inferred: the file is on the
vendor's CDN only, and no version is published). No server SDK exists that we know of; the pages show plain HTTP.
"""

from dialects.appizer.refusals import refuse
from dialects.appizer.routes import COERCE_IDS, SCOPE, routes
from gateway.dialect import CredentialKind, Dialect, Switch

dialect = Dialect(
    name="appizer",
    title="Appizer",
    schemas="jsonschemas.appizer",
    prefixes=("/v1/",),
    kinds=(
        CredentialKind("api_key", template="ak_{token}"),
        CredentialKind("app", template="app_{token}", public=True, needs_origin=True),
    ),
    routes=routes,
    refuse=refuse,
    setting='apiBase: "{url}"  (Web SDK; in server code {url}/v1 takes the place of https://api.appizer.com/v1)',
    curl=(
        "curl -X POST {url}/v1/events -H 'Authorization: Bearer {value}' -H 'Content-Type: application/json' "
        '-d \'{"event_name":"purchase_completed","user_id":"user_123","properties":{"amount":29.99}}\''
    ),
    scopes=("read", SCOPE),
    headers=("x-app-id",),
    switches=(Switch(COERCE_IDS, "numbers in user_id, alias_id and the like become strings, not INVALID_TYPE"),),
)
