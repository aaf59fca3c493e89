"""That a gateway which can keep nothing says so as each vendor would. No fault here."""

import asyncio

from tests.faults.lives import status_of
from tests.faults.postgres.gateways import Gateway
from tests.faults.postgres.sites import Site
from tests.faults.test_disk import refused, voice
from tests.faults.traffic import keys_of


def refused_in_every_voice(shop: Site, gateway: Gateway) -> None:
    """Fail unless requests of each kind are, soon at least, answered with 503, Retry-After, and the vendor's body."""
    keys = keys_of("".join(each.greeting for each in shop.gateways))
    for answer, sent in asyncio.run(refused(gateway.url, keys, shop.oracle)):
        assert (sent.kind, answer.status, int(answer.headers["retry-after"]) > 0) == (sent.kind, 503, True)
        assert (sent.kind, answer.body) == (sent.kind, asyncio.run(voice(sent, keys)))
    assert status_of(gateway.url, "/-/healthy") == 200
