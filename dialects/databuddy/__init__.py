"""Databuddy: its browser trackers, its SDKs and its pixel. The Dialect value, and nothing else.

SDKs: the browser trackers of 2025 and 2026 (and the React, Vue and Nuxt wrappers that load them), `@databuddy/sdk/node`
2.2 to 2.6, the AI helper up to 2.3, Swift 0.1.0. Sources: the vendor's pages on `/track` and `/batch` (documented); its
servers of August 2025 to 2026, and requests recorded from the SDKs, for all else (inferred).
"""

from dialects.databuddy.context import SDK_NAME_HEADER, SDK_VERSION_HEADER
from dialects.databuddy.credentials import API_KEY, API_KEY_HEADER, SITE_HEADER, WEBSITE
from dialects.databuddy.description import ERROR
from dialects.databuddy.emit import OUTBOUND, emit
from dialects.databuddy.errors import refuse
from dialects.databuddy.render import health
from dialects.databuddy.routes import EVENTS_SCOPE, LLM_SCOPE, TRACK_WINDOW, routes
from gateway.dialect import Dialect, StaticRoute

dialect = Dialect(
    name="databuddy",
    title="Databuddy",
    schemas="jsonschemas.databuddy",
    prefixes=("",),
    kinds=(API_KEY, WEBSITE),
    routes=routes,
    refuse=refuse,
    error=ERROR,
    setting='new Databuddy({ apiKey: "{value}", apiUrl: "{url}" })  // in a browser: data-api-url="{url}"',
    curl=(
        "curl -X POST '{url}/track' -H 'Authorization: Bearer {value}' -H 'Content-Type: application/json'"
        ' -d \'{"name":"hello"}\''
    ),
    static_routes=(StaticRoute(("/health",), health),),
    scopes=(EVENTS_SCOPE, LLM_SCOPE),
    headers=(API_KEY_HEADER, "x-requested-with", SITE_HEADER, SDK_NAME_HEADER, SDK_VERSION_HEADER),
    switches=(TRACK_WINDOW,),
    emit=emit,
    outbound=OUTBOUND,
)
