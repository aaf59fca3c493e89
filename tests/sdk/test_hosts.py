"""A host name of its own for each vendor, as a team's DNS may have it: the page calls that name."""

import pytest

from tests.kit.serving import Served
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import Kept
from tests.sdk.vendors import CALLS

CONFIG = "[hosts]\n" + "\n".join(f'"{dialect}.example.test" = "{dialect}"' for dialect in CALLS)


@pytest.mark.parametrize("dialect", CALLS)
@pytest.mark.proves("fetch in Chromium, {dialect}", "a host name bound to the dialect", "its first endpoint")
def test_a_page_calls_the_name_that_is_bound_to_a_vendor(
    gateway: Served, stored: Kept, visit: Open, shop: Site, dialect: str
) -> None:
    page = shop.page("/calls.html", "<script src=/calls.js></script>")
    port = gateway.url.rpartition(":")[2]
    other = next(call for name, call in CALLS.items() if name != dialect)
    base, call = f"http://{dialect}.example.test:{port}", CALLS[dialect]
    good, lost = visit(
        page,
        ("send", {"url": base + call.path, "headers": call.headers, "body": call.body}),
        ("send", {"url": base + other.path, "headers": other.headers, "body": other.body}),
    ).told
    assert (good["status"], lost["status"]) == (call.status, 404)
    assert stored.take(1) == [call.stored]
