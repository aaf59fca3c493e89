"""Idempotency-Keys over a server's lives: a kill -9 at any moment leaves all of a request or none, and no lock."""

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from gateway.ingest.handler import IngestHandler
from tests.idempotency.endpoints import MANY, WAYS, Answer, Way, add_keys, send
from tests.kit.cases import Case, build
from tests.kit.log_reading import stored_lines
from tests.kit.serving import serving
from tests.storage.stores import Clock, opened
from tests.test_corpus import send as send_in_memory

EACH = 12


def requests() -> list[tuple[Way, bytes, str]]:
    """Return what is sent: each with its Idempotency-Key."""
    made = []
    for number, way in enumerate(WAYS):
        for each in range(EACH):
            names = [f"{number}.{each}.{part}" for part in range(3 if way in MANY else 1)]
            made.append((way, way.body(*names), f"key {number}.{each}"))
    return made


async def until_killed(url: str, kill_after: int, kill: "asyncio.Event") -> dict[str, Answer]:
    """Send everything at once, have the server killed after so many answers, and return those."""
    answers: dict[str, Answer] = {}

    async def one(session: aiohttp.ClientSession, way: Way, body: bytes, key: str) -> None:
        try:
            answers[key] = await send(session, url, way, body, key)
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
        assert {answer.status for answer in after.values()} <= {200, 204}
    names = Counter(json.loads(line)["name"] for line in stored_lines(data))
    assert (set(names.values()), len(names)) == ({1}, EACH * (len(WAYS) + 2 * len(MANY)))


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
        front = build(Case("databuddy", "window", {}), storage)
        told = [await replayed(front)]
        for passed in (60, 60, 60, 60, 1):
            clock.now += passed
            told.append(await replayed(front))
            await send_in_memory(front, {**request, "headers": {}})  # time passes with commits

    assert told == [False, True, True, True, True, False]
