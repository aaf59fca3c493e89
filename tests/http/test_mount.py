"""The gateway as an application inside somebody's own aiohttp service."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from gateway.app import application
from gateway.config import Config
from gateway.datadir import DataDir, DataDirError
from gateway.storage.sqlite.read.log import Reader
from tests.kit.serving import run


def with_key(data: Path) -> str:
    """Add a Tranthor key to a data directory and return it."""
    added = run("keys", "add", "--data", str(data), "--dialect", "tranthor", "--json")
    return str(json.loads(added.stdout)["value"])


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_it_answers_below_its_prefix_and_keeps_what_it_acknowledged(
    aiohttp_server: AiohttpServer, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    headers = {"Authorization": f"Basic {with_key(data)}"}
    service = web.Application()
    service.add_subapp("/collect", application(Config(data=data)))
    server = await aiohttp_server(service)
    url = server.make_url("/collect/api/public/apps/track")
    event = {"messageId": "m-1", "userId": "u", "event": "e"}
    answers = []
    for body in (json.dumps(event).encode(), gzip.compress(json.dumps({**event, "messageId": "m-2"}).encode())):
        encoding = {"Content-Encoding": "gzip"} if body[:1] == b"\x1f" else {}
        async with session.post(url, data=body, headers={**headers, **encoding}) as answer:
            answers.append(answer.status)
    async with session.get(server.make_url("/collect/-/ready")) as answer:
        answers.append(answer.status)
    async with session.post(server.make_url("/collect/api/public/nowhere")) as answer:
        answers.append(answer.status)
    assert answers == [204, 204, 200, 404]
    with pytest.raises(DataDirError, match="another gateway runs on"):
        DataDir(data).lock()
    await server.close()
    DataDir(data).lock().release()
    with Reader(DataDir(data)) as reader:
        assert [json.loads(body)["message_id"] for _, body in reader.bodies()] == ["m-1", "m-2"]


async def test_a_command_beside_the_service_reaches_its_log(aiohttp_server: AiohttpServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with_key(data)
    await aiohttp_server(application(Config(data=data)))
    done = await asyncio.to_thread(run, "quarantine", "replay", "--all", "--data", str(data))
    assert (done.returncode, done.stderr) == (0, "")
