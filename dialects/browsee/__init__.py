"""Browsee's HTTP API (`/api/v1/track`, `/api/v1/identify`), and a script in the place of its web recorder.

Sources: the vendor's pages on both calls; the loader Browsee/browsee-web-sdk 1.0.0, which sends nothing itself. The
recorder behind it cannot be pointed elsewhere, so pages load `shim.js` from the gateway instead.
"""

from dialects.browsee.parse import KIND
from dialects.browsee.render import refuse
from dialects.browsee.routes import SWITCHES, routes
from dialects.browsee.shim import NAME as SCRIPT
from dialects.browsee.shim import shim
from dialects.browsee.translate import NAME
from gateway.dialect import CredentialKind, Dialect

dialect = Dialect(
    name=NAME,
    title="Browsee",
    schemas="jsonschemas.browsee",
    prefixes=("/api/v1/",),
    kinds=(CredentialKind(KIND, "{token}"),),
    routes=routes,
    refuse=refuse,
    setting='<script src="{url}/-/shim/browsee.js" data-api-key="{value}"></script>',
    curl="curl -sS {url}/api/v1/track -H 'Content-Type: application/json'"
    """ -d '{"apiKey": "{value}", "anonymousId": "a-1", "event": "CLICKED_CHECKOUT", "properties": {"price": 100}}'""",
    switches=SWITCHES,
    scripts={SCRIPT: shim()},
    secret_fields=("apiKey",),
)
