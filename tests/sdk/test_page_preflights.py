"""What tracing libraries and proxies add to a page's requests does not keep Chromium from sending them."""

import pytest

from tests.kit.serving import Served
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import Kept
from tests.sdk.vendors import CALLS

TRACING = {
    "baggage": "sentry-environment=production",
    "sentry-trace": "771a43a4192642f0b136d5159a501700-4c9f5f2a1b3e4d5c-1",
    "traceparent": "00-771a43a4192642f0b136d5159a501700-4c9f5f2a1b3e4d5c-01",
    "content-encoding": "identity",
    "X-Datadog-Origin": "rum",
}


@pytest.mark.parametrize("dialect", CALLS)
def test_a_page_sends_with_the_headers_of_its_tracing(
    gateway: Served, stored: Kept, visit: Open, shop: Site, dialect: str
) -> None:
    page = shop.page("/calls.html", "<script src=/calls.js></script>")
    call = CALLS[dialect]
    given = {"url": gateway.url + call.path, "headers": {**call.headers, **TRACING}, "body": call.body}
    [answer] = visit(page, ("send", given)).told
    assert answer["status"] == call.status
    assert [each["dialect"] for each in stored.take(1)] == [dialect]
