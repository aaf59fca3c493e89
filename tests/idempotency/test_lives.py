"""Idempotency-Keys over a server's lives: a kill -9 at any moment leaves all of a request or none, and no lock."""

import asyncio
import json
import re
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from gateway.ingest.handler import IngestHandler
from gateway.testing.corpus.message import SentRequest
from tests.idempotency.endpoints import MANY, Answer, add_keys, send
from tests.kit.cases import Case, build
from tests.kit.cases import send as send_in_memory
from tests.kit.endpoints import Endpoint, endpoints
from tests.kit.log_reading import stored_lines
from tests.kit.serving import serving
from tests.storage.stores import Clock, opened

EACH = 12
PARTS = 3
MARK = re.compile(r'"(event \d+\.\d+\.\d+)"')


def requests() -> list[tuple[Endpoint, SentRequest, str]]:
    """Return what is sent: each with its Idempotency-Key."""
    made = []
    for number, endpoint in enumerate(endpoints()):
        for each in range(EACH):
            names = [f"event {number}.{each}.{part}" for part in range(PARTS if endpoint.items else 1)]
            made.append((endpoint, endpoint.of(*names), f"key {number}.{each}"))
    return made


async def until_killed(url: str, kill_after: int, kill: "asyncio.Event") -> dict[str, Answer]:
    """Send everything at once, have the server killed after so many answers, and return those."""
    answers: dict[str, Answer] = {}

    async def one(session: aiohttp.ClientSession, endpoint: Endpoint, request: SentRequest, key: str) -> None:
        try:
            answers[key] = await send(session, url, endpoint, request, key)
        except aiohttp.ClientError:
            return
        if len(answers) >= kill_after:
            kill.set()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*[one(session, *each) for each in requests()])
    return answers


@pytest.mark.parametrize("kill_after", [1, 10, 40])
async def test_what_was_answered_before_a_kill_is_answered_so_again_and_all_is_stored_once(
    tmp_path: Path, kill_after: int
) -> None:
    data = tmp_path / "data"
    add_keys(data)
    with serving(data) as served:
        kill = asyncio.Event()

        async def killing() -> None:
            await kill.wait()
            served.process.send_signal(signal.SIGKILL)

        task = asyncio.create_task(killing())
        before = await until_killed(served.url, kill_after, kill)
        await task
        served.process.wait()
    assert kill_after <= len(before)

    with serving(data) as served:
        async with aiohttp.ClientSession() as session:
            after = {each[2]: await send(session, served.url, *each) for each in requests()}
        assert {key: after[key] for key in before} == before
        assert all(after[key].replayed for key in before)
        assert all(answer.is_success for answer in after.values())
    names = Counter(name for line in stored_lines(data) for name in set(MARK.findall(line.decode())))
    assert (set(names.values()), len(names)) == ({1}, EACH * (len(endpoints()) + (PARTS - 1) * len(MANY)))


async def test_a_key_is_known_for_its_window_and_forgotten_after_two(tmp_path: Path) -> None:
    clock = Clock()
    credentials = json.loads((Path(__file__).parents[1] / "corpus" / "databuddy" / "_credentials.json").read_text())
    site = next(each["value"] for each in credentials if each["kind"] == "website" and not each.get("revoked"))
    request = {"path": f"/track?website_id={site}", "headers": {"Idempotency-Key": "k"}, "json": [{"name": "a"}]}

    async def replayed(front: IngestHandler) -> bool:
        response, headers = await send_in_memory(front, request)
        assert response.status == 200, response.body
        return headers.get("Idempotency-Replayed") == "true"

    async with opened(tmp_path, window=100.0, clock=clock) as (storage, _):
        front = build(Case("databuddy", "window", tmp_path, {}), storage)
        told = [await replayed(front)]
        for passed in (60, 60, 60, 60, 1):
            clock.now += passed
            told.append(await replayed(front))
            await send_in_memory(front, {**request, "headers": {}})  # time passes with commits

    assert told == [False, True, True, True, True, False]
