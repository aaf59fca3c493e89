"""What a page on another origin may see of the answers of every dialect: status, body and the headers that matter."""

import pytest

from tests.kit.serving import Served
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import MADE_FROM_KEY, MADE_HERE, Kept
from tests.sdk.vendors import CALLS

CONFIG = "\n".join(f"[limits.{dialect}]\nrequests = 2\nseconds = 3600" for dialect in CALLS)


@pytest.mark.parametrize("dialect", CALLS)
@pytest.mark.proves("fetch in Chromium, {dialect}", "CORS", "a replayed answer, then 429: headers read by the page")
def test_a_page_reads_that_an_answer_is_replayed_and_when_to_come_again(
    gateway: Served, stored: Kept, visit: Open, shop: Site, dialect: str
) -> None:
    page = shop.page("/calls.html", "<script src=/calls.js></script>")
    call = CALLS[dialect]
    headers = {**call.headers, "Idempotency-Key": f"page-{dialect}"}
    given = {"url": gateway.url + call.path, "headers": headers, "body": call.body, "credentials": "include"}
    first, again, limited = visit(page, *[("send", given)] * 3).told
    assert (first["status"], again["status"], limited["status"]) == (call.status, call.status, 429)
    assert first["body"] == again["body"]
    assert "idempotency-replayed" not in first["headers"]
    assert again["headers"]["idempotency-replayed"] == "true"
    assert 0 < int(limited["headers"]["retry-after"]) <= 3600
    counted = {name: [each["headers"].get(name) for each in (first, again, limited)] for name in call.counted}
    assert counted == call.counted
    made = call.stored["message_id"] == MADE_HERE
    assert stored.take(1) == [{**call.stored, **({"message_id": MADE_FROM_KEY} if made else {})}]
