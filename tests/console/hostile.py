"""What clients send to hurt whoever looks at it, and how it gets into a store: as every text that a page may show."""

import json
from collections.abc import Mapping

import requests

from tests.kit.serving import PATIENCE, Served

TEXTS = (
    "<script>window.ran = 'script'</script>",
    '"><img src=x onerror="window.ran=\'img\'">',
    "'><svg onload='window.ran=1'>",
    "</title></textarea></pre></script><script>window.ran='closed'</script>",
    "<iframe srcdoc=\"<script>parent.ran='frame'</script>\"></iframe>",
    "<a href=\"javascript:window.ran='link'\">x</a>",
    "javascript:window.ran='url'",
    "data:text/html,<script>window.ran='data'</script>",
    "<meta http-equiv=refresh content='0;url=http://evil.test/'>",
    "<link rel=stylesheet href=http://evil.test/x.css><img src=http://evil.test/x.png>",
    "<form action=http://evil.test/><button autofocus>x</button></form>",
    "{{ 7*7 }}{% raw %}{{ self }}",
    "${7*7}<%= 7*7 %>",
    "\u202egnp.exe\u2066\u200b",
    "\x1b[31mred\x1b[0m\x07",
    "line\r\nX-Injected: yes\r\n\r\n<script>window.ran='split'</script>",
    "\u2028\u2029;window.ran='separator'",
    "../../../etc/passwd",
    "//evil.test/x",
    "a" * 10_000,
    "<b>" * 3_000,
)
ORIGINS = ("https://evil.test", "null", "javascript://%0aalert(1)", 'https://"><script>alert(1)</script>', "x" * 2_000)


def send(served: Served, keys: Mapping[str, str]) -> None:
    """Send each text as every field of an event, of a bad item and of a rejected request, and as a label."""
    client = requests.Session()

    def post(path: str, body: object, **headers: str) -> int:
        given = {name.replace("_", "-"): value.encode() for name, value in headers.items()}
        return client.post(served.url + path, json.dumps(body), headers=given, timeout=PATIENCE).status_code

    write_key, api_key = f"Basic {keys['tranthor']}", f"Bearer {keys['databuddy']}"
    batch = [
        {
            "type": "track",
            "messageId": text[:200],
            "userId": text,
            "anonymousId": text,
            "event": text,
            "properties": {text: text, "nested": [{text: text}]},
            "context": {"page": {"url": text, "title": text}, "userAgent": text, text: text},
        }
        for text in TEXTS
    ]
    assert post("/api/public/apps/batch", {"batch": batch}, Authorization=write_key) == 204
    unfit = [{"type": "track", "messageId": f"{text[:200]}!", "userId": "\x00", "event": text} for text in TEXTS]
    unfit += [{"type": text, "messageId": text[:200] + "?", "userId": text, text: text} for text in TEXTS]
    assert post("/api/public/apps/batch", {"batch": unfit}, Authorization=write_key) == 204
    for text in TEXTS:
        assert post("/track", {"name": text[:256], "properties": {text: text}}, Authorization=api_key) in (200, 400)
        assert post("/track", {"name": 5, text: text}, Authorization=api_key) == 400
        post("/track", {"name": text}, Authorization=f"Bearer {text[:400].encode('ascii', 'replace').decode()!r}")
    for text in TEXTS:
        if len(text) <= 80 and text.isprintable():  # no other label is taken
            served.cli("keys", "add", "--dialect", "browsee", "--label", text)
    for origin in ORIGINS:
        post("/track", {"name": "x"}, Authorization=api_key, Origin=origin, User_Agent=origin)
        post(f"/nothing?{origin}", {"name": "x"}, Origin=origin, Referer=origin)
