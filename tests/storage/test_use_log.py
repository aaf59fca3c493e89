"""What is counted of the uses of credentials between two writes. What an engine keeps of them is in the kit."""

import asyncio
from collections.abc import Sequence

import attrs

from gateway.records.use_log import DAY, DayOfUse, UseLog

TODAY = 20_000
NOON = TODAY * DAY + DAY // 2


@attrs.define
class Writer:
    """A writer that fails as long as it is told to."""

    is_broken: bool = False
    written: list[DayOfUse] = attrs.field(factory=list)
    name: str = "the uses"
    expected: tuple[type[Exception], ...] = ()

    async def write(self, uses: Sequence[DayOfUse]) -> None:
        if self.is_broken:
            raise OSError("no room")
        self.written += uses

    async def close(self) -> None:
        pass


async def test_what_cannot_be_written_is_added_to_the_next_write() -> None:
    writer = Writer(is_broken=True)
    log = UseLog(writer)
    for _ in range(2):
        async with log.running():
            log.add("shop", "key_1", NOON)
    writer.is_broken = False
    async with log.running():
        log.add("shop", "key_1", NOON + DAY, rejected=True)
        log.add("shop", "key_1", NOON)  # the clock was set back: it counts where counting is
    assert writer.written == [
        DayOfUse("shop", "key_1", TODAY, 2, 0, NOON),
        DayOfUse("shop", "key_1", TODAY + 1, 2, 1, NOON + DAY),
    ]


async def test_a_log_without_uses_writes_nothing() -> None:
    writer = Writer(is_broken=True)
    async with UseLog(writer, pause=0.001).running():
        await asyncio.sleep(0.01)
    assert writer.written == []
