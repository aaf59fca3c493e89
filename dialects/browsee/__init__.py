"""Browsee: its HTTP API, and a script in the place of its web recorder. The Dialect value, and nothing else.

Sources: the vendor's pages on both calls (documented); the loader Browsee/browsee-web-sdk 1.0.0, which sends nothing
itself (recorded). The recorder that it loads cannot be pointed elsewhere, so pages load `shim.js` from the gateway.
"""

from dialects.browsee.credentials import API_KEY, FIELD
from dialects.browsee.description import ERROR
from dialects.browsee.emit import OUTBOUND, emit
from dialects.browsee.errors import refuse
from dialects.browsee.routes import LENIENT_TIMESTAMPS, STRINGIFY_IDS, routes
from dialects.browsee.shim import NAME as SCRIPT
from dialects.browsee.shim import shim
from dialects.browsee.translate import NAME
from gateway.dialect import Dialect

dialect = Dialect(
    name=NAME,
    title="Browsee",
    schemas="jsonschemas.browsee",
    prefixes=("/api/v1/",),
    kinds=(API_KEY,),
    routes=routes,
    refuse=refuse,
    error=ERROR,
    setting='<script src="{url}/-/shim/browsee.js" data-api-key="{value}"></script>',
    curl="curl -sS {url}/api/v1/track -H 'Content-Type: application/json'"
    """ -d '{"apiKey": "{value}", "anonymousId": "a-1", "event": "CLICKED_CHECKOUT", "properties": {"price": 100}}'""",
    switches=(STRINGIFY_IDS, LENIENT_TIMESTAMPS),
    scripts={SCRIPT: shim()},
    secret_fields=(FIELD,),
    emit=emit,
    outbound=OUTBOUND,
)
