"""What SQLite's filter makes of lines that are spelled in another way than the gateway does."""

from pathlib import Path
from typing import Any

import attrs

from gateway.storage.contract import EventRow
from gateway.storage.read import EventFilter, export
from gateway.testing.engine.given.entries import entry
from gateway.testing.engine.given.lines import START
from tests.kit.log_reading import reading
from tests.storage.stores import opened


async def test_lines_of_another_spelling_are_matched_by_what_they_say(tmp_path: Path) -> None:
    tricky = [
        b'{"project":"a","name":"\\"project\\":\\"b\\""}',
        b'{"project":"ab"}',
        b'{"project":"a\\u0062"}',
        b'{"project":"a","properties":{"project":"ab"}}',
        '{"project":"ab","name":"\u2028"}'.encode(),
        b'{"project":"AB"}',
        b'{"project":"ab\\""}',
        b'{ "name" : "Home", "received_at" : "2026-01-02T04:04:05.678+01:00", "project" : "ab" }',
        b'{"received_at":"2026-01-02T03:04:05.678999Z","project":"ab","name":"Home"}',
        b'{"received_at":"yesterday","project":"ab","name":"Home"}',
        b'{"received_at":5,"project":"ab","name":"Home"}',
        b'["project","ab"]',
        b'"ab"',
        b'{"user_id":"a\\u0062","message_id":"m"}',
        b'{"project":"c","anonymous_id":"ab","user_id":5}',
    ]
    async with opened(tmp_path) as (storage, _), reading(tmp_path) as reader:
        await storage.append(attrs.evolve(entry(*[EventRow(each) for each in tricky]), received_at=START))

        async def found(**conditions: Any) -> list[int]:
            pages = export(reader, where=EventFilter(**conditions))
            return [tricky.index(each) async for page in pages for each in page.lines]

        assert await found(person="ab") == [13, 14]
        assert await found(message_id="m") == [13]
        assert await found(message_id="m", person="ab", since=START, before=START + 1) == []
        assert await found(project="ab") == [1, 2, 4, 7, 8, 9, 10]
        assert await found(project="a") == [0, 3]
        assert await found(project='ab"') == [6]
        assert await found(project="ab", name="Home") == [7, 8, 9, 10]
        assert await found(since=START, before=START + 1) == [7, 8]
        assert await found(before=START) == []
        assert await reader.count(EventFilter(project="ab")) == 7
