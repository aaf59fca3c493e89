"""GoatCounter: `POST /api/v0/count` of its API, and `/count`, the pixel of pages.

The Dialect value, and nothing else.
"""

from gateway.dialect import Dialect

from goatcounter_dialect import errors
from goatcounter_dialect.credentials import COUNT, SITE, TOKEN
from goatcounter_dialect.routes import API, ROUTES

dialect = Dialect(
    name="goatcounter",
    title="GoatCounter",
    schemas="goatcounter_dialect.schemas",
    prefixes=(API,),
    kinds=(TOKEN, SITE),
    scopes=(COUNT,),
    routes=ROUTES,
    refuse=errors.api,
    setting="api={url}/api/v0 token={value}",
    curl=(
        "curl -i {url}/api/v0/count -H 'Content-Type: application/json' -H 'Authorization: Bearer {value}'"
        """ -d '{"no_sessions": true, "hits": [{"path": "/one", "title": "One"}]}'"""
    ),
    api_version=1,
    error=errors.SCHEMA,
)
