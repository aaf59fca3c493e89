"""Databuddy: its trackers' and servers' ingestion protocol.

SDKs: the browser tracker of 2025 and 2026 (and the React, Vue and Nuxt wrappers that inject it), `@databuddy/sdk/node`
2.2 to 2.6, the AI helper up to 2.3, Swift 0.1.0. Sources: the vendor's pages of `/track` and `/batch` (documented); its
servers of August 2025 to 2026 and requests recorded from the SDKs (inferred) for all else.
"""

from dialects.databuddy.render import anywhere, health
from dialects.databuddy.routes import EVENTS_SCOPE, LLM_SCOPE, TRACK_WINDOW, routes
from gateway.dialect import CredentialKind, Dialect, StaticRoute

dialect = Dialect(
    name="databuddy",
    title="Databuddy",
    schemas="jsonschemas.databuddy",
    prefixes=("",),
    kinds=(CredentialKind("api_key", "dbdy_{token}"), CredentialKind("website", "{uuid}", public=True, is_site=True)),
    routes=routes,
    refuse=anywhere,
    setting='new Databuddy({ apiKey: "{value}", apiUrl: "{url}" })  // in a browser: data-api-url="{url}"',
    curl=(
        "curl -X POST '{url}/track' -H 'Authorization: Bearer {value}' -H 'Content-Type: application/json'"
        ' -d \'{"name":"hello"}\''
    ),
    static_routes=(StaticRoute(("/health",), health),),
    scopes=(EVENTS_SCOPE, LLM_SCOPE),
    headers=("x-api-key", "x-requested-with", "databuddy-client-id", "databuddy-sdk-name", "databuddy-sdk-version"),
    switches=(TRACK_WINDOW,),
)
