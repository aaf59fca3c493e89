"""The same request at two gateways at the same instant, thousands of times."""

import asyncio
import itertools

from tests.faults.postgres.sites import Site
from tests.faults.wire import Connection

AT_ONCE = 8
"""Pairs of requests under way."""


async def at_the_same_instant(shop: Site, pairs: int) -> list[str]:
    """Send so many requests, each to the first two gateways at once; return those that were answered unlike, in words.

    All of them bear ids, or an Idempotency-Key, of which one answer of two must say that it is a repetition.
    """
    numbers = itertools.repeat(None, pairs)
    unlike: list[str] = []

    async def client() -> None:
        one, two = [await Connection.open(each.url) for each in shop.gateways[:2]]
        for _ in numbers:
            while not (sent := shop.oracle.new()).safe:
                pass
            answers = await asyncio.gather(one.exchange(sent.raw), two.exchange(sent.raw))
            shop.oracle.acknowledged.update(sent.marks)
            shop.oracle.quarantined.update(sent.quarantined)
            repeated = sum("idempotency-replayed" in answer.headers for answer in answers)
            if answers[0].said != answers[1].said or answers[0].status >= 300 or (sent.keyed and repeated != 1):
                unlike.append(f"{sent.kind}: {answers}")
        one.cut()
        two.cut()

    await asyncio.gather(*[client() for _ in range(AT_ONCE)])
    return unlike
