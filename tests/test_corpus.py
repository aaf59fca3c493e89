"""Every case of the corpus, twice: with no IO at all, and over HTTP into a real SQLite file."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from gateway.front import Arrived, Front
from gateway.message import Response
from gateway.server import Server, bind
from gateway.storage.commit import GroupCommit
from gateway.storage.datadir import make
from gateway.storage.reader import Reader
from gateway.storage.sqlite import SqliteEngine
from tests.cases import Case, body_of, build, load, same_body
from tests.recording import RecordingStorage

CASES = load()


async def send(front: Front, request: dict[str, Any]) -> tuple[Response, dict[str, str]]:
    path, _, query = request["path"].partition("?")
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    arrived = Arrived(request.get("method", "POST"), path, query, headers, request.get("client_ip"))
    response = await front.answer(arrived, front.match(arrived), body_of(request))
    common = dict(line.split(": ", 1) for line in front.cors(arrived).splitlines())
    return response, {**response.headers, **common, "Content-Type": response.content_type}


def check_answer(answer: dict[str, Any], status: int, headers: dict[str, str], body: bytes | None) -> None:
    assert status == answer["status"], body
    assert same_body(answer, body), body
    assert {name: headers.get(name) for name in answer.get("headers", {})} == answer.get("headers", {})


def check_stored(case: Case, bodies: Iterable[bytes], held: Iterable[tuple[str, str]]) -> None:
    assert [json.loads(body) for body in bodies] == case.document["events"]
    quarantined = [{"faults": json.loads(faults), "payload": json.loads(payload)} for faults, payload in held]
    assert quarantined == case.document.get("quarantined", [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.dialect}-{case.name}")
async def test_a_case_is_answered_and_stored_exactly_without_io(case: Case) -> None:
    storage = RecordingStorage()
    front = build(case, storage)
    for step in case.document["steps"]:
        response, headers = await send(front, step["request"])
        check_answer(step["answer"], response.status, headers, response.body)
    check_stored(case, storage.bodies, [(held.faults.decode(), held.payload.decode()) for held in storage.held])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.dialect}-{case.name}")
async def test_a_case_is_answered_and_stored_exactly_over_http(case: Case, tmp_path: Path) -> None:
    directory = make(tmp_path / "data")
    storage = GroupCommit(await SqliteEngine.open(directory))
    server = Server(build(case, storage), client_ip=lambda _peer, forwarded: forwarded, body_timeout=5)
    base = await server.start(bind("127.0.0.1", 0))
    try:
        async with aiohttp.ClientSession(skip_auto_headers=("Accept", "User-Agent", "Content-Type")) as session:
            for step in case.document["steps"]:
                request = step["request"]
                headers = dict(request.get("headers", {}))
                if "client_ip" in request:
                    headers["x-forwarded-for"] = request["client_ip"]
                url = URL(f"{base}{request['path']}", encoded=True)
                sent = session.request(
                    request.get("method", "POST"), url, headers=headers, data=io.BytesIO(body_of(request))
                )
                async with sent as response:
                    check_answer(step["answer"], response.status, dict(response.headers), await response.read() or None)
    finally:
        await server.stop()
        await storage.close()
    with Reader(directory) as reader:
        held = [(str(row["faults"]), str(row["payload"])) for row in reader.quarantine()]
        check_stored(case, [body for _position, body in reader.bodies()], held)
