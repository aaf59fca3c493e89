"""Tranthor's public event API (`/api/public/apps/...`). The Dialect value, and nothing else.

`@tranthor/sdk-node` 0.1.3 calls it, and so do Dittofeed's SDKs for Node (0.1 to 0.4), browsers (0.1 to 0.3) and React
Native, whose protocol it is. "Upstream" in this folder is Dittofeed's server (commit 52b2bee), from which Tranthor's
very probably descends. Sources: the vendor's pages on track, identify, page and screen (documented); upstream for
group, batch, alias and all errors. What is inferred says so.
"""

from dialects.tranthor.credentials import PUBLIC_KEY_HEADER, WRITE_KEY
from dialects.tranthor.description import ERROR
from dialects.tranthor.emit import OUTBOUND, emit
from dialects.tranthor.errors import not_implemented, refuse
from dialects.tranthor.routes import PREFIX, STRICT_BATCHES, routes
from dialects.tranthor.wire import WRITE_KEY_FIELD
from gateway.dialect import Dialect, StaticRoute

dialect = Dialect(
    name="tranthor",
    title="Tranthor",
    schemas="jsonschemas.tranthor",
    prefixes=("/api/public/",),
    kinds=(WRITE_KEY,),
    routes=routes,
    refuse=refuse,
    error=ERROR,
    static_routes=(StaticRoute((f"{PREFIX}/alias",), not_implemented, "POST"),),
    headers=(PUBLIC_KEY_HEADER,),
    switches=(STRICT_BATCHES,),
    body_cap=5 * 1024 * 1024,
    setting='await TranthorSdk.init({ writeKey: "Basic {value}", host: "{url}" });',
    curl=(
        "curl -i '{url}/api/public/apps/track' -H 'Authorization: Basic {value}' -H 'Content-Type: application/json'"
        ' -d \'{"messageId":"hello-\'"$(date +%s)"\'","userId":"1043","event":"Signed Up"}\''
    ),
    secret_fields=(WRITE_KEY_FIELD,),
    emit=emit,
    outbound=OUTBOUND,
)
