"""Secrets stay nowhere: not in a file of the data directory, a log, an answer, an export, the metrics."""

import asyncio
from pathlib import Path

from tests.faults.figures import Figure
from tests.faults.lives import log_of
from tests.faults.wire import Answer, Connection, Cut, ask, request
from tests.kit.serving import add_key, run, serving
from tests.security.canaries import Canaries, texts_of

KINDS = {"databuddy": "api_key", "appizer": "api_key", "tranthor": "write_key", "browsee": "api_key"}


def with_keys(data: Path, canaries: Canaries) -> None:
    """Give a data directory one known credential a dialect."""
    for dialect, kind in KINDS.items():
        canaries.known[dialect] = canaries.new(f"{dialect}, known")
        add_key(data, dialect, kind, canaries.known[dialect])


async def answers(url: str, canaries: Canaries) -> list[Answer]:
    """Send all requests and return their answers."""
    found: list[Answer] = []
    connection = await Connection.open(url)
    for raw in canaries.requests():
        try:
            answer = await connection.exchange(raw, raw.partition(b" ")[0].decode())
        except Cut:
            connection.cut()
            connection = await Connection.open(url)
            continue
        found.append(answer)
        if answer.headers.get("connection") == "close" or answer.status == 413:
            connection.cut()
            connection = await Connection.open(url)
    connection.cut()
    return found


def test_no_secret_is_found_in_anything_that_the_gateway_keeps_or_says(tmp_path: Path, figure: Figure) -> None:
    canaries, data = Canaries(), tmp_path / "data"
    with_keys(data, canaries)
    said: dict[str, bytes] = {}
    with serving(data) as served:
        found = asyncio.run(answers(served.url, canaries))
        said["metrics"] = asyncio.run(ask(served.url, request("/-/metrics"))).body
        lists = (("events", "export"), ("quarantine", "list"), ("quarantine", "list", "--rejected"), ("keys", "list"))
        for words in lists:
            said[" ".join(words)] = (run(*words, "--data", str(data)).stdout).encode()
        said["greeting"] = served.greeting.encode()
        assert served.stop() == 0
        assert served.process.stdout is not None
        said["stdout"] = served.process.stdout.read().encode()
    said["stderr"] = log_of(data).encode()
    texts = [*said.items(), *texts_of(data)]
    texts += [(f"answer {answer.status}", repr((answer.headers, answer.body)).encode()) for answer in found]
    leaks = {
        f"the secret of {place} in {where}"
        for where, text in texts
        if b"canary" in text
        for secret, place in canaries.places.items()
        if secret.encode() in text
    }
    stored = sum(200 <= answer.status < 300 for answer in found)
    figure(f"{len(canaries.places)} secrets in {len(found)} requests ({stored} accepted): {len(leaks)} leaks")
    assert stored > 30
    assert sorted(leaks) == []
