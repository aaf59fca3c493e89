"""What a page may do at a dialect that says so: read headers of its answers, and be known by its origin alone."""

import attrs

from gateway.dialect import Credential, Request, Submission
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.corpus.message import SentRequest
from gateway.testing.gate import Gate
from tests.testing import small

SITE = CorpusCredential("site", small.SITE, origins=("shop.example",))
PAGE = {"Origin": small.ORIGIN}


def parse_pixel(request: Request) -> Submission:
    read = small.parse_pixel(request)
    optional = tuple([Credential(each.kind, each.value, optional=True) for each in read.credentials])
    return attrs.evolve(read, credentials=optional)


BY_ORIGIN = small.with_route("pixel", parse=parse_pixel, site_by_origin=True)


def pixel(query: str, origin: str = small.ORIGIN) -> int:
    sent = SentRequest("GET", f"/small-api/v1/pixel?name=paid{query}", {"Origin": origin})
    [answer] = Gate.of(BY_ORIGIN, [SITE]).send(sent)
    return answer.status


def test_a_page_is_known_by_its_origin_where_it_shows_nothing_that_is_known() -> None:
    assert pixel("") == 204
    assert pixel(f"&site={small.SITE}") == 204
    assert pixel("&site=nobodys") == 204
    assert pixel("", "https://other.example") == 401
    assert pixel("&site=nobodys", "https://other.example") == 401


def test_a_dialects_own_headers_may_be_read_by_pages_beside_the_gateways() -> None:
    dialect = attrs.evolve(small.DIALECT, exposed_headers=("X-Small-Left", "Retry-After"))
    [answer] = Gate.of(dialect, [SITE]).send(SentRequest("GET", "/small-api/v1/status", PAGE))
    assert answer.header("Access-Control-Expose-Headers") == (
        "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Idempotency-Replayed,"
        " X-Gateway-Receipt, X-Small-Left"
    )
