"""Appizer: servers call it with an API key, browsers with an app id. The Dialect value, and nothing else.

Sources: the vendor's page on `POST /events` and the first part of its pages on batches, users, errors and rate limits
(documented); its diagrams (`/events/track`); what the options of its Web SDK imply (inferred). The SDK's script is only
on the vendor's CDN and was not read. No SDK for servers was found: the vendor's pages show plain HTTP.
"""

from dialects.appizer.credentials import API_KEY, APP, APP_ID_HEADER
from dialects.appizer.description import ERROR
from dialects.appizer.emit import OUTBOUND, emit
from dialects.appizer.errors import refuse
from dialects.appizer.routes import COERCE_IDS, WRITE, routes
from gateway.dialect import Dialect

dialect = Dialect(
    name="appizer",
    title="Appizer",
    schemas="jsonschemas.appizer",
    prefixes=("/v1/",),
    kinds=(API_KEY, APP),
    routes=routes,
    refuse=refuse,
    error=ERROR,
    setting='apiBase: "{url}"  // Web SDK; in server code, replace https://api.appizer.com/v1 with {url}/v1',
    curl=(
        "curl -X POST {url}/v1/events -H 'Authorization: Bearer {value}' -H 'Content-Type: application/json' "
        '-d \'{"event_name":"purchase_completed","user_id":"user_123","properties":{"amount":29.99}}\''
    ),
    scopes=("read", WRITE),
    headers=(APP_ID_HEADER,),
    switches=(COERCE_IDS,),
    emit=emit,
    outbound=OUTBOUND,
)
