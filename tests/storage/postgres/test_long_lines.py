"""Long lines: no client's event takes a reader more than a page's memory, or more time than a statement has."""

import os
from collections.abc import Sequence

from gateway.storage.contract import Entry, EventRow
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from tests.kit.engines import parsed

MANY = ",".join(["1e308", "-2.5e-300", "1e+99"] * 400)
FEW = ",".join(["1e308"] * 600)


def line(properties: str) -> bytes:
    return f'{{"project":"shop","received_at":"2027-01-15T08:00:00.000Z","properties":{properties}}}'.encode()


async def appended(url: str, groups: Sequence[Sequence[bytes]]) -> None:
    async with open_store(url).storage(StoreSettings()) as storage:
        for lines in groups:
            rows = tuple(EventRow(each) for each in lines)
            await storage.append(
                Entry(project="shop", dialect="toy", route="t", received_at=1_800_000_000_000, rows=rows)
            )


async def test_very_many_exponents_are_not_written_out(prepared: str) -> None:
    many, few, with_nul = line(f"[{MANY}]"), line(f"[{FEW}]"), line(f'["\\u0000",{MANY}]')
    await appended(prepared, [[many, few, with_nul]])
    async with open_store(prepared).log() as log:
        page = await log.page()
    first, second, third = page.lines
    assert (first, third) == (many, with_nul)
    assert len(second) > 600 * 300
    assert parsed(second) == parsed(few.replace(b"1e308", b"1" + b"0" * 308))


async def test_a_page_ends_at_a_long_line_that_comes_after_short_ones(prepared: str) -> None:
    short, long = [line("{}")] * 100, [line(f'"{os.urandom(500_000).hex()}"')] * 5
    await appended(prepared, [short, long])
    async with open_store(prepared).log() as log:
        sizes, after, more = [], None, True
        while more:
            page = await log.page(after)
            sizes.append(len(page.positions))
            after, more = page.cursor, page.more
        back, until, more = [], None, True
        while more:
            page = await log.page_back(until)
            back.append(len(page.positions))
            until, more = page.cursor, page.more
    assert sizes == [101, 1, 1, 1, 1]
    assert back == [1, 1, 1, 1, 1, 100]
