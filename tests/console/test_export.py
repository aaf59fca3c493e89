"""Downloads of events from the console."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from gateway.console.context import Console
from gateway.console.pages import export
from gateway.operate.formats.columns import COLUMNS
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.lines import line
from tests.cli.lines import entry
from tests.console.browser import Api, Browser, Client
from tests.kit.engines import parsed

NAMES = ["Signed Up", "=cmd()", "Home"]
LINES = [line(number, name=name, user_id=f"u-{number}") for number, name in enumerate(NAMES)]


@pytest.fixture
async def stored(served: Console) -> Console:
    """The module's store, with three events from its first test on."""
    async with served.store.log() as reader:
        if await reader.count():
            return served
    async with served.store.storage(StoreSettings()) as storage:
        for each in LINES:
            await storage.append(entry([each]))
    return served


async def download(api: Api, query: str) -> tuple[int, dict[str, str], bytes]:
    headers = {"Authorization": f"Bearer {api.token}"}
    async with api.client.get(f"/api/events/export{query}", headers=headers) as response:
        named = {name: response.headers.get(name, "") for name in ("Content-Type", "Content-Disposition")}
        return response.status, named, await response.read()


async def test_each_format_is_downloaded_as_a_file(stored: Console, api: Api) -> None:
    expected = parsed(b"\n".join(LINES))
    status, headers, body = await download(api, "")
    assert (status, headers, parsed(body)) == (
        200,
        {"Content-Type": "application/jsonl", "Content-Disposition": 'attachment; filename="events.jsonl"'},
        expected,
    )
    status, headers, body = await download(api, "?format=csv&with_position=1")
    rows = [*csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True)]
    assert (status, headers["Content-Disposition"]) == (200, 'attachment; filename="events.csv"')
    assert [row["name"] for row in rows] == ["Signed Up", "'=cmd()", "Home"]
    assert [*rows[0]] == ["position", *COLUMNS]
    status, headers, body = await download(api, "?format=parquet")
    assert (status, headers["Content-Type"]) == (200, "application/vnd.apache.parquet")
    assert pq.read_table(io.BytesIO(body)).column("name").to_pylist() == NAMES
    _, _, rest = await download(api, f"?after={rows[1]['position']}")
    assert parsed(rest) == expected[2:]


async def test_filters_narrow_a_download(stored: Console, api: Api) -> None:
    for query, names in (
        ("?name=Home", ["Home"]),
        ("?person=u-1", ["=cmd()"]),
        ("?id=m-0&format=", ["Signed Up"]),
        ("?project=nobody", []),
        ("?since=2026-01-02T03:04:05Z&before=2026-01-02T03:04:06Z&type=track", NAMES),
        ("?before=2026-01-02T03:04:05Z", []),
    ):
        assert [each["name"] for each in parsed((await download(api, query))[2])] == names


async def test_what_makes_no_sense_is_told_in_one_line(stored: Console, api: Api) -> None:
    for query, said in (
        ("?format=xml", "format must be one of jsonl, csv, parquet"),
        ("?after=x", "after is no position of this log"),
        ("?type=click", "type must be one of track, page, screen, identify, group, alias"),
    ):
        status, _, body = await download(api, query)
        assert (status, json.loads(body)) == (400, {"error": said})


async def test_a_download_needs_a_login_and_has_the_policy(stored: Console, client: Client, console: Browser) -> None:
    answer = await console.get("/api/events/export?name=Home")
    assert (answer.status, "default-src 'none'" in answer.headers["Content-Security-Policy"]) == (200, True)
    client.session.cookie_jar.clear()
    assert (await console.get("/api/events/export")).status == 401


async def test_who_asks_only_for_the_head_of_a_download_makes_nobody_read_the_log(stored: Console, api: Api) -> None:
    async with api.client.head("/api/events/export", headers={"Authorization": f"Bearer {api.token}"}) as answer:
        assert answer.status == 404  # there is no event at the position `export`


async def test_only_a_few_run_at_once(stored: Console, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 0)
    status, _, body = await download(api, "")
    assert (status, json.loads(body)) == (503, {"error": "too many downloads run at once"})
    monkeypatch.undo()
    assert (await download(api, ""))[0] == 200
