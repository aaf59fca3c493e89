"""What a request may leave on disk without being stored: its body, 64 KiB, and 32 bytes an item. Nothing more, ever."""

import base64
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.faults.figures import Figure
from tests.faults.traffic import Keys, keys_of
from tests.kit.serving import PATIENCE, Served, run, serving

MANY = 20_000
HALF = 1500  # of the items of a smaller flood
KIBIBYTE = 1024
PER_ITEM = 32
BATCH = "/api/public/apps/batch"
CHANCE = random.Random(12)


def text(size: int) -> str:
    """Return text that hardly compresses."""
    return base64.b64encode(CHANCE.randbytes(size)).decode()


def batch(*items: object, **more: object) -> bytes:
    return json.dumps({"batch": items, **more}, separators=(",", ":")).encode()


def missing_an_event(size: int) -> list[dict[str, object]]:
    return [{"type": "track", "userId": "u", "messageId": text(size)} for _ in range(MANY)]


def post(served: Served, keys: Keys, body: bytes, **headers: str) -> requests.Response:
    named = {"Authorization": f"Basic {keys['tranthor']}", "Content-Encoding": "gzip"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(served.url + BATCH, data=gzip.compress(body), headers=named, timeout=PATIENCE)


def size(data: Path) -> int:
    return sum(file.stat().st_size for file in data.rglob("*") if file.is_file())


def started(data: Path, *arguments: str) -> Keys:
    """Make a data directory; return the keys of its project."""
    with serving(data, *arguments) as served:
        keys = keys_of(served.greeting)
        assert served.stop() == 0
    return keys


FLOODS: dict[str, tuple[int, Callable[[], bytes], dict[str, str]]] = {
    "nothing, 20,000 times": (MANY, lambda: batch(*[{}] * MANY), {}),
    "nothing, under a key": (MANY, lambda: batch(*[{}] * MANY), {"Idempotency_Key": "a"}),
    "short ids": (MANY, lambda: batch(*[{"messageId": text(6)} for _ in range(MANY)]), {"Idempotency_Key": "b"}),
    "ids as usual": (MANY, lambda: batch(*missing_an_event(12)), {"Idempotency_Key": "c"}),
    "long ids": (MANY, lambda: batch(*missing_an_event(120)), {"Idempotency_Key": "d"}),
    "all that a body may have": (1, lambda: batch({"type": "track", "userId": text(3_900_000)}), {}),
    "long names": (1, lambda: batch({"type": text(9000), **{text(99): {} for _ in range(9000)}}), {}),
    "all that a head may have": (1, lambda: batch({}), {f"X_{number}": text(3000) for number in range(15)}),
    "a key of ours, redacted everywhere": (MANY, lambda: batch(*[{"writeKey": ""}] * MANY, writeKey=""), {}),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_request_leaves_no_more_than_its_bound(tmp_path: Path, figure: Figure, name: str) -> None:
    items, made, headers = FLOODS[name]
    data, body = tmp_path / "data", made()
    keys = started(data)
    before = size(data)
    with serving(data) as served:
        assert post(served, keys, body, **headers).status_code == 204
        assert served.stop() == 0
    grown, bound = size(data) - before, len(body) + 64 * KIBIBYTE + PER_ITEM * items
    figure(f"{len(body) // KIBIBYTE} KiB, {grown // KIBIBYTE} of at most {bound // KIBIBYTE} KiB on disk")
    assert grown <= bound


HEADS: dict[str, tuple[str, dict[str, str]]] = {
    "a long path": (f"/{'p' * 60_000}", {}),
    "a long query": (f"{BATCH}?a={text(40_000)}", {}),
    "a query of controls": (f"{BATCH}?{'%01' * 20_000}=1", {}),
    "headers of any bytes": (BATCH, {f"X-{number}": "\xff" * 3000 for number in range(20)}),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_rejected_request_leaves_no_more_than_its_bound(tmp_path: Path, figure: Figure, name: str) -> None:
    path, headers = HEADS[name]
    data, body = tmp_path / "data", batch(text(9000))
    started(data)
    with serving(data) as served:  # the file is there, with its empty tables
        assert requests.post(served.url + BATCH, data=b"{}", timeout=PATIENCE).status_code == 400
        assert served.stop() == 0
    before = size(data)
    with serving(data) as served:
        answer = requests.post(served.url + path, data=body, headers=headers, timeout=PATIENCE)
        assert 400 <= answer.status_code < 500
        assert served.stop() == 0
    grown, bound = size(data) - before, len(body) + 64 * KIBIBYTE
    figure(f"{len(body) // KIBIBYTE} KiB, {grown // KIBIBYTE} of at most {bound // KIBIBYTE} KiB on disk")
    assert 0 < grown <= bound
    assert len(run("quarantine", "list", "--rejected", "--data", str(data)).stdout.splitlines()) == 2


def test_all_items_of_a_flood_are_listed_shown_replayed_and_dropped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    keys = started(data)
    named = [{"type": "track", "userId": "u", "messageId": f"m-{number}"} for number in range(HALF)]
    nameless: list[dict[str, Any]] = [{"n": number} for number in range(HALF)]
    with serving(data) as served:
        receipts = [post(served, keys, batch(*items)).headers["X-Gateway-Receipt"] for items in (named, nameless)]
        listed = [json.loads(line) for line in served.cli("quarantine", "list").splitlines()]
        assert [row["payload"] for row in listed] == [*named, *nameless]
        assert [row["message_id"] for row in listed[:HALF]] == [item["messageId"] for item in named]
        assert len({row["message_id"] for row in listed[HALF:]}) == HALF
        assert [row["id"] for row in listed] == list(range(1, 2 * HALF + 1))
        shown = json.loads(served.cli("quarantine", "show", str(HALF)))
        assert (shown["payload"], json.loads(shown["request"]["body"])) == (named[-1], {"batch": named})
        told = [json.loads(served.cli("receipt", receipt))["items"] for receipt in receipts]
        assert [item["quarantine"] for items in told for item in items] == list(range(1, 2 * HALF + 1))
        assert [item["message_id"] for item in told[1]] == [row["message_id"] for row in listed[HALF:]]
        replayed = served.cli("quarantine", "replay", "1", str(HALF), str(HALF + 1))
        assert replayed.splitlines()[0] == "0 stored, 0 already stored, 3 failed again"
        dropped = run("quarantine", "drop", *map(str, range(1, 2 * HALF + 1)), "--data", str(data))
        assert (dropped.stderr, len(dropped.stdout.splitlines())) == (f"{2 * HALF} dropped\n", 2 * HALF)
        assert served.cli("quarantine", "list") == ""
        assert post(served, keys, batch(named[0])).status_code == 204
        assert len(served.cli("quarantine", "list").splitlines()) == 1
        assert served.stop() == 0


def test_repeated_floods_end_at_the_size_of_the_quarantine(tmp_path: Path) -> None:
    data, settings = tmp_path / "data", tmp_path / "gateway.toml"
    settings.write_text("[projects.default]\nquarantine_megabytes = 1\n")
    configured = ("--config", str(settings))
    keys = started(data, *configured)
    before = size(data)
    sizes = []
    for _ in range(2):
        with serving(data, *configured) as served:
            for number in range(3):
                good = {"type": "track", "userId": "u", "event": "Good", "messageId": text(9)}
                body = batch({"type": "track", "n": text(300_000)}, good)
                flood = batch(*[{}] * MANY, n=number)
                assert [post(served, keys, each).status_code for each in (body, flood)] == [204, 204]
            assert served.stop() == 0
        sizes.append(size(data) - before)
    assert sizes[0] < 1.5 * KIBIBYTE * KIBIBYTE
    assert sizes[1] - sizes[0] < 12 * 4 * KIBIBYTE
    assert (tmp_path / "data.stderr").read_text().count("the quarantine of project default is full (1 MB)") == 1
    with serving(data, *configured) as served:
        assert [event["name"] for event in served.events()] == ["Good"] * 6
        last = json.loads(served.cli("quarantine", "list").splitlines()[-1])
        assert (last["kept"], last["payload"], last["size"], len(last["sha256"])) == (False, None, 60_017, 64)
        assert last["note"].startswith("the quarantine of its project was full")
        replayed = run("quarantine", "replay", str(last["id"]), "--data", str(data))
        sentence = "the item was not kept: the quarantine of its project was full (quarantine_megabytes)"
        assert replayed.stdout.splitlines()[1] == f"{last['id']}: {sentence}"
        assert served.stop() == 0
