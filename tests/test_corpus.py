"""Every case of the corpus, twice: with no IO at all, and over HTTP into a real SQLite file."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from gateway.datadir import make
from gateway.dialect.message import Response
from gateway.http.handler import RequestHead
from gateway.http.server import Server, bind
from gateway.ingest.handler import IngestHandler
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.read.log import Reader
from tests.kit.cases import Case, body_of, build, load, same_body
from tests.kit.recording import RecordingStorage

CASES = load()


async def send(handler: IngestHandler, request: dict[str, Any]) -> tuple[Response, dict[str, str]]:
    path, _, query = request["path"].partition("?")
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    head = RequestHead(request.get("method", "POST"), path, query, headers, request.get("client_ip"))
    response = await handler.route(head).answer(body_of(request))
    common = dict(line.split(": ", 1) for line in handler.cors(head).splitlines())
    return response, {**response.headers, **common, "Content-Type": response.content_type}


def check_answer(answer: dict[str, Any], status: int, headers: dict[str, str], body: bytes | None) -> None:
    assert status == answer["status"], body
    assert same_body(answer, body), body
    assert {name: headers.get(name) for name in answer.get("headers", {})} == answer.get("headers", {})


def check_stored(case: Case, bodies: Iterable[bytes], quarantined: Iterable[tuple[str, str]]) -> None:
    assert [json.loads(body) for body in bodies] == case.document["events"]
    found = [{"faults": json.loads(faults), "payload": json.loads(payload)} for faults, payload in quarantined]
    assert found == case.document.get("quarantined", [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.dialect}-{case.name}")
async def test_a_case_is_answered_and_stored_exactly_without_io(case: Case) -> None:
    storage = RecordingStorage()
    front = build(case, storage)
    for step in case.document["steps"]:
        response, headers = await send(front, step["request"])
        check_answer(step["answer"], response.status, headers, response.body)
    check_stored(
        case,
        storage.bodies,
        [(quarantined.faults.decode(), quarantined.payload.decode()) for quarantined in storage.quarantined],
    )


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
        quarantined = [(str(row["faults"]), str(row["payload"])) for row in reader.quarantine()]
        check_stored(case, [body for _position, body in reader.bodies()], quarantined)
