"""Every case of the corpus: with no IO at all, over HTTP into a real SQLite file, in a service, into PostgreSQL."""

import asyncio
import contextlib
import http.client
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer
from yarl import URL

from gateway.datadir import make
from gateway.dialect.message import Response
from gateway.http.bind import bind
from gateway.http.handler import RequestHead
from gateway.http.mount import HANDLER, add_routes
from gateway.http.server import Server
from gateway.ingest.handler import IngestHandler
from gateway.storage.engines import open_store
from gateway.storage.group_commit import GroupCommit
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.read import export
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.store import StoreSettings
from tests.kit.cases import Case, body_of, build, counted_ids, load, same_body
from tests.kit.log_reading import stored_lines
from tests.kit.recording import RecordingStorage

CASES = load()
KNOWN = ("events", "receipts", "keys", "claims", "quarantined_requests", "quarantined_keys", "quarantine_sizes")


async def send(handler: IngestHandler, request: dict[str, Any]) -> tuple[Response, dict[str, str]]:
    path, _, query = request["path"].partition("?")
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    head = RequestHead(request.get("method", "POST"), path, query, headers, request.get("client_ip"))
    response = await handler.route(head).answer(body_of(request))
    common = dict(line.split(": ", 1) for line in handler.cors(head).splitlines())
    return response, {**response.headers, **common, "Content-Type": response.content_type}


def send_bytes(server: http.client.HTTPConnection, request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Send a step's request over a connection; return status, headers and body of the answer.

    The standard library's client sends header bytes that are not UTF-8, which aiohttp's drops.
    """
    body = body_of(request)
    headers = dict(request.get("headers", {}))
    if "client_ip" in request:
        headers["X-Forwarded-For"] = request["client_ip"]
    server.putrequest(request.get("method", "POST"), request["path"], skip_accept_encoding=True)
    for name, value in headers.items():
        server.putheader(name, value.encode("utf-8", "surrogateescape"))
    server.putheader("Content-Length", str(len(body)))
    server.endheaders(body)
    response = server.getresponse()
    return response.status, dict(response.getheaders()), response.read()


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
    server = Server(build(case, storage), client_ip=lambda _peer, headers: headers.get("x-forwarded-for"))
    address = URL(await server.start(bind("127.0.0.1", 0))).authority
    try:
        with contextlib.closing(http.client.HTTPConnection(address, timeout=30)) as connection:
            for step in case.document["steps"]:
                status, headers, body = await asyncio.to_thread(send_bytes, connection, step["request"])
                check_answer(step["answer"], status, headers, body or None)
    finally:
        await server.stop()
        await storage.close()
    with Reader(directory) as reader:
        quarantined = [(str(row["faults"]), str(row["payload"])) for row in reader.quarantine()]
    check_stored(case, stored_lines(directory.path), quarantined)


@pytest.mark.parametrize("dialect", sorted({case.dialect for case in CASES}))
async def test_the_cases_that_store_something_are_answered_and_stored_exactly_on_postgres(
    dialect: str, prepared: str
) -> None:
    cases = [case for case in CASES if case.document["events"] or "quarantined" in case.document]
    store, session = open_store(prepared), Session(Address(prepared), "test")
    plain: IngestHandler | None = None
    async with store.storage(StoreSettings()) as storage, store.log() as log, store.records() as records:
        for case in [case for case in cases if case.dialect == dialect]:
            ids = counted_ids()
            if "switches" in case.document or "limit" in case.document:
                handler = build(case, storage, ids)
            else:  # one for all: to make one takes longer than the case
                handler = plain = plain or build(case, storage, lambda now: ids(now))  # noqa: B023 (of each case anew)
            try:
                for step in case.document["steps"]:
                    response, headers = await send(handler, step["request"])
                    check_answer(step["answer"], response.status, headers, response.body)
                bodies = [line async for page in export(log) for line in page.lines]
                quarantined = [(row["faults"], row["payload"]) async for row in records.quarantine()]
                check_stored(case, bodies, quarantined)
            except AssertionError as wrong:
                raise AssertionError(case.name) from wrong
            async with session.transaction() as db:  # as empty as at first, sooner than by a database for each
                for table in KNOWN:
                    await db.execute(f"DELETE FROM gateway.{table}")
    await session.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.dialect}-{case.name}")
async def test_a_case_is_answered_and_stored_exactly_in_somebodys_own_service(
    case: Case, aiohttp_server: AiohttpServer
) -> None:
    storage = RecordingStorage()
    app = web.Application()
    app[HANDLER] = build(case, storage)
    add_routes(app, client_ip=lambda _peer, headers: headers.get("x-forwarded-for"))
    service = web.Application()
    service.add_subapp("/collect/events", app)
    server = await aiohttp_server(service, max_line_size=1 << 16, max_field_size=1 << 16, auto_decompress=False)
    with contextlib.closing(http.client.HTTPConnection(server.host, server.port, timeout=30)) as connection:
        for step in case.document["steps"]:
            request = {**step["request"], "path": f"/collect/events{step['request']['path']}"}
            status, headers, body = await asyncio.to_thread(send_bytes, connection, request)
            check_answer(step["answer"], status, headers, body or None)
    check_stored(case, storage.bodies, [(each.faults.decode(), each.payload.decode()) for each in storage.quarantined])
