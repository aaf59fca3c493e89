"""Tranthor's public event API (`/api/public/apps/...`), a descendant of Dittofeed's.

Spoken by @tranthor/sdk-node 0.1.3 and by what it descends from: Dittofeed's sdk-node 0.1-0.4 and sdk-web 0.1-0.3, its
React Native SDK, and plain REST callers. Sources: the vendor's pages for track, identify, page and screen; for group,
batch, alias and all errors Dittofeed's server source (commit 52b2bee); what is inferred is said where it stands.
"""

from dialects.tranthor.keys import normalize
from dialects.tranthor.render import not_implemented, refuse
from dialects.tranthor.routes import PREFIX, STRICT_BATCHES, routes
from gateway.dialect import CredentialKind, Dialect, StaticRoute

dialect = Dialect(
    name="tranthor",
    title="Tranthor",
    schemas="jsonschemas.tranthor",
    prefixes=("/api/public/",),
    kinds=(CredentialKind("write_key", "trn_{token}", normalize=normalize),),
    routes=routes,
    refuse=refuse,
    static_routes=(StaticRoute((f"{PREFIX}/alias",), not_implemented, "POST"),),
    headers=("publicwritekey",),
    switches=(STRICT_BATCHES,),
    body_cap=5 * 1024 * 1024,
    setting='await TranthorSdk.init({ writeKey: "Basic {value}", host: "{url}" });',
    curl=(
        "curl -i '{url}/api/public/apps/track' -H 'Authorization: Basic {value}' -H 'Content-Type: application/json'"
        ' -d \'{"messageId":"hello-\'"$(date +%s)"\'","userId":"1043","event":"Signed Up"}\''
    ),
    secret_fields=("writeKey",),
)
