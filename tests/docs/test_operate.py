"""docs/operate/: its commands typed page after page, beside a gateway that has an item of each verdict."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import attrs
import click
import pytest
import requests

from gateway.cli.main import main
from gateway.config import Config, load
from gateway.dialect.outcome import Verdict
from tests.docs.readme import ROOT, blocks, code, paste, rows
from tests.faults.traffic import keys_of
from tests.idempotency.endpoints import in_memory
from tests.kit.endpoints import Endpoint, endpoints
from tests.kit.serving import PATIENCE, run, serving

INDEX = (ROOT / "docs" / "operate.md").read_text("utf-8")
PAGES = re.findall(r"^\| \[[^]]+\]\((operate/[a-z-]+\.md)\)", INDEX, re.MULTILINE)
PAGE = "\n".join((ROOT / "docs" / page).read_text("utf-8") for page in PAGES)
SETTINGS = next(block for block in blocks("toml", PAGE) if "filter_bots" in block)
STOPPED = "# stop the server first\n"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@attrs.frozen
class Transcript:
    """What each block of commands printed, and the exit code of the server."""

    printed: Mapping[str, str]
    exit_code: int


def section(title: str) -> str:
    return re.split(r"\n##? ", PAGE.partition(f"\n## {title}\n")[2])[0]


def send_every_verdict(url: str, keys: Mapping[str, str]) -> str:
    """Send an item of each verdict, one of them in a rejected request; return the receipt of the batch."""

    def post(path: str, body: object, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(url + path, json=body, headers=named, timeout=PATIENCE)

    def track(name: str, **more: object) -> dict[str, object]:
        return {"type": "track", "messageId": name, "userId": "u-1", **more}

    tranthor, databuddy = f"Basic {keys['tranthor']}", f"Bearer {keys['databuddy']}"
    batch = {"batch": [track("good", event="e"), track("bad-1"), track("bad-2"), track("good", event="e")]}
    mixed = post("/api/public/apps/batch", batch, Authorization=tranthor)
    crawled = post("/track", {"name": "seen"}, Authorization=databuddy, User_Agent=CRAWLER)
    refused = post("/track", {"name": 5}, Authorization=databuddy)
    assert (mixed.status_code, crawled.status_code, refused.status_code) == (204, 200, 400)
    return mixed.headers["X-Gateway-Receipt"]


@pytest.fixture(scope="module")
def transcript(tmp_path_factory: pytest.TempPathFactory, forked_gateway: Path) -> Transcript:
    folder = tmp_path_factory.mktemp("operate")
    (folder / "gateway.toml").write_text(SETTINGS)
    printed: dict[str, str] = {}
    with serving(folder / "data", "--config", str(folder / "gateway.toml")) as served:
        environ = {
            **os.environ,
            "PATH": f"{forked_gateway}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "URL": served.url,
            "TOKEN": next(word for word in served.greeting.split() if word.startswith("admin_")),
            "RECEIPT": send_every_verdict(served.url, keys_of(served.greeting)),
        }
        deadline = time.monotonic() + PATIENCE
        while not served.cli("quarantine", "list", "--rejected"):
            assert time.monotonic() < deadline
        for block in blocks("sh", PAGE):
            if block.startswith(STOPPED) and served.process.poll() is None:
                served.process.send_signal(signal.SIGTERM)
                exit_code = served.process.wait(PATIENCE)
            done = paste(block, folder, environ)
            assert (done.returncode, "Error" in done.stderr) == (0, False), (block, done)
            printed[block] = done.stdout
    with serving(folder / "restored") as restored:
        counted = next(output for block, output in printed.items() if "events count --data restored" in block)
        assert len(restored.events()) == int(counted.splitlines()[-1])
    return Transcript(printed, exit_code)


def output_of(transcript: Transcript, command: str) -> str:
    """Return what the one block that has a command printed."""
    [output] = [output for block, output in transcript.printed.items() if command in block]
    return output


def test_the_index_names_every_page() -> None:
    assert sorted(PAGES) == sorted(f"operate/{page.name}" for page in (ROOT / "docs" / "operate").glob("*.md"))


def test_each_command_of_the_pages_works_in_its_order(transcript: Transcript) -> None:
    assert (len(transcript.printed), transcript.exit_code) == (len(blocks("sh", PAGE)), 0)


def test_the_receipt_has_the_verdicts_of_the_table(transcript: Transcript) -> None:
    receipt = json.loads(output_of(transcript, "gateway receipt"))
    assert [item["verdict"] for item in receipt["items"]] == ["stored", "quarantined", "quarantined", "duplicate"]
    assert json.loads(output_of(transcript, "/-/receipts/")) == receipt
    assert [row[0].strip("`") for row in rows(section("What can happen to an event"))] == [
        verdict.value for verdict in Verdict
    ]


def test_quarantined_items_are_listed_shown_replayed_and_dropped(transcript: Transcript) -> None:
    listed, *shown = output_of(transcript, "quarantine show --data data 1").partition("\n{\n")
    quarantined = [json.loads(line) for line in listed.splitlines()[:2]]
    assert [item["message_id"] for item in quarantined] == ["bad-1", "bad-2"]
    assert '"request": {' in "".join(shown)
    assert "0 stored, 0 already stored, 2 failed again" in output_of(transcript, "replay --data data 1 2")
    filtered = output_of(transcript, "replay --data data --all --filtered").splitlines()
    assert (json.loads(filtered[0])["verdict"], filtered[1]) == (
        "filtered",
        "1 stored, 0 already stored, 0 failed again",
    )
    assert "failed again" in output_of(transcript, "replay --data data --rejected 1")


def test_the_counters_have_the_names_and_values_of_the_page(transcript: Transcript) -> None:
    output = output_of(transcript, "/-/metrics")
    for name in code(section("How to read the counters")):
        if name.startswith("gateway_"):
            assert f"\n{name}{{" in output, name
    for counted in (output, output_of(transcript, "--since 24h")):
        assert re.search(r"default +tranthor +4 +1 +1 +2 +0 +0", counted)
        assert re.search(r"default +databuddy +1 +1 +0 +0 +0 +1", counted)


async def conflict(endpoint: Endpoint) -> int:
    """Return the status of another request under the Idempotency-Key of a first one."""
    return (await in_memory(endpoint, (endpoint.of("a name"), "a key"), (endpoint.of("another"), "a key")))[0]


def test_the_statuses_of_its_idempotency_table_are_those_of_the_dialects() -> None:
    there = {(each.dialect.title, str(asyncio.run(conflict(each)))) for each in endpoints()}
    table = rows(section("What a retry gets"))
    assert {(row[0], row[2]) for row in table} == there
    assert {(row[1], row[3]) for row in table} == {("the first answer and `Idempotency-Replayed: true`", "400")}


def test_its_defaults_are_the_gateways(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(SETTINGS)
    set_in_file, plain = load(file, environ={}).storage, Config().storage
    same = ("dedupe_window", "rejected_bytes", "rejected_window")
    assert [getattr(set_in_file, name) for name in same] == [getattr(plain, name) for name in same]
    assert plain.keep_raw == 0
    assert f"`dedupe_days`, {plain.dedupe_window / 86_400:.0f} unless you say otherwise" in " ".join(PAGE.split())


def test_every_configuration_of_the_pages_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    for block in blocks("toml", PAGE):
        file.write_text(block)
        load(file, environ={})


def test_the_options_that_it_names_are_there() -> None:
    def options(command: click.Command) -> set[str]:
        own = {option for each in command.params for option in each.opts}
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        return own.union(*map(options, inner))

    named = {word for text in code(PAGE) for word in re.findall(r"--[a-z-]+", text)}
    assert named - options(main) == set()


def test_an_old_copy_of_a_database_is_no_newer_one_for_an_older_gateway(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        assert served.stop() == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "events.db")) as file:
        file.execute("PRAGMA user_version = 99")
    done = run("serve", "--data", str(tmp_path / "data"), "--port", "0")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "was written by a newer gateway" in done.stderr
