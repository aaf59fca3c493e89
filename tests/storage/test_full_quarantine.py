"""What the log says of a quarantine that is full, in the words of both engines."""

import pytest

from gateway.storage.store import Store
from gateway.testing.engine.given.quarantine import LARGE, holding, opened, quarantined


async def test_a_full_quarantine_is_told_with_its_size_and_what_to_do(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(store, quarantine_bytes=100_000) as (storage, _):
        for name in "abcd":
            await storage.append(holding(quarantined(name), raw=LARGE))
    said = [each.getMessage() for each in caplog.records if "full" in each.getMessage()]
    assert said == [
        "the quarantine of project p is full (0 MB): of further items only fault, size and digest are kept; replay or "
        "drop some, or raise quarantine_megabytes"
    ]
