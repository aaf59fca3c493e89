"""SIGHUP reloads all or nothing, in every process; SIGTERM drains; systemd is told; no other signal does harm."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest
import requests
import uvloop

from gateway.config import Config, ServerSettings
from gateway.datadir import make
from gateway.http.bind import bind
from gateway.http.listening.listeners import Listeners
from gateway.keys.credential import KeyFileError
from gateway.storage.sqlite.store import SqliteStore
from gateway.storage.store import StoreSettings
from gateway.workers.answering import Answering
from gateway.workers.control.job import WRITER, Job
from gateway.workers.supervised_process import SupervisedProcess
from tests.faults.lives import log_of
from tests.kit.serving import PATIENCE, Served, add_key, serving
from tests.workers.crowd import KEY, SOON, family, gateway, until

WITH_LIMIT = "[limits.tranthor]\nrequests = 2\nseconds = 3600\n"
NEW = """
[server]
drain_seconds = 300
workers = 7
[log]
format = "json"
[projects.default]
quarantine_megabytes = 0
[dialects.databuddy]
enabled = false
"""
LAST_SIGNALS = """
import asyncio, os, signal
from gateway.workers.control.signals import Signals, ignore_to_the_end

async def main():
    Signals.of_main()
    ignore_to_the_end()

asyncio.run(main())
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
    os.kill(os.getpid(), number)
print("ended by itself")
"""


@attrs.frozen
class Reloading:
    """A gateway, its file of settings, and the socket at which it tells systemd how it is."""

    served: Served
    file: Path
    systemd: socket.socket

    def ask(self, number: signal.Signals) -> None:
        self.served.process.send_signal(number)

    def log(self) -> str:
        return (self.file.parent / "data.stderr").read_text()

    def reload(self, text: str, said: str) -> str:
        """Reload a new text, and return the line of the log that then has `said`."""
        self.file.write_text(text)
        before = self.log()
        self.ask(signal.SIGHUP)
        until(lambda: said in self.log()[len(before) :])
        [line] = [line for line in self.log()[len(before) :].splitlines() if said in line]
        return line

    def send(self, message_id: str, event: str | None = "Signed Up") -> int:
        named = {} if event is None else {"event": event}
        return sent(self.served.url, {"messageId": message_id, **named})

    def get(self, path: str) -> tuple[int, str]:
        answer = requests.get(self.served.url + path, timeout=PATIENCE)
        return answer.status_code, answer.text

    def told(self) -> list[str]:
        """Return the states that systemd was told since the last time, without when."""
        states: list[str] = []
        while True:
            try:
                states.append(self.systemd.recv(1000).decode().split("\n")[0])
            except BlockingIOError:
                return states


def sent(url: str, item: Mapping[str, str]) -> int:
    """Send an item, and return the status of the answer; 0 if there is none."""
    body, headers = {"batch": [{"type": "track", "userId": "u-1", **item}]}, {"Authorization": f"Basic {KEY}"}
    try:
        return requests.post(f"{url}/api/public/apps/batch", json=body, headers=headers, timeout=PATIENCE).status_code
    except requests.ConnectionError:
        return 0


@pytest.fixture(params=["sqlite, 1", "sqlite, 2", "postgresql, 2"])
def reloading(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    engine, workers = request.param.split(", ")
    database = None if engine == "sqlite" else request.getfixturevalue("database")
    data, file = tmp_path / "data", tmp_path / "gateway.toml"
    add_key(data if database is None else database, "tranthor", "write_key", KEY, project="default")
    file.write_text(WITH_LIMIT)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        options = ("--workers", workers, "--config", str(file))
        with serving(data, *options, env=env, storage=database) as served:
            yield Reloading(served, file, systemd)


@contextmanager
def begun(url: str) -> Iterator[Callable[[], str]]:
    """Begin a request of Databuddy; yield a function that sends the rest and returns the status."""
    address = urlsplit(url)
    body = b'{"name": "late"}'
    head = f"POST /track HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
        connection.sendall(head.encode())

        def finish() -> str:
            connection.sendall(body)
            return connection.recv(1000).decode().split()[1]

        yield finish


def test_a_reload_changes_all_or_nothing_and_a_stop_drains(reloading: Reloading) -> None:
    with begun(reloading.served.url) as finish:
        check_reloads(reloading, finish)
    check_stop(reloading)


def check_reloads(reloading: Reloading, finish: Callable[[], str]) -> None:
    served = reloading.served
    assert [reloading.send(name) for name in ("a", "b", "c")] == [204, 204, 429]
    assert reloading.get("/-/ready") == (200, "ready\n")
    for pid in (served.process.pid, *family(served.process.pid).values()):
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            os.kill(pid, number)
        if pid != served.process.pid:
            os.kill(pid, signal.SIGHUP)

    said = reloading.reload(NEW + "[servre]\n[x]\n", "not reloaded")
    assert said.partition("gateway: ")[2] == (
        "the configuration is not reloaded, the old one stays: "
        f"{reloading.file}: servre: unknown key; did you mean server? "
        f"(1 more: see `gateway check-config {reloading.file}`)"
    )
    assert reloading.send("c") == 429
    said = reloading.reload(WITH_LIMIT, "reloaded")
    assert said.partition("gateway: ")[2] == "configuration reloaded: nothing changed"
    assert reloading.send("c") == 429

    reloading.reload(WITH_LIMIT + "[server]\nbody_timeout = 20\n", "server.body_timeout 30 -> 20")
    assert reloading.send("c") == 429  # an equal limit goes on with what it has counted

    said = json.loads(reloading.reload(NEW, "configuration reloaded"))
    assert (said["changed"], said["at_next_start"]) == (
        [
            "server.body_timeout 20 -> 30",
            "server.drain_seconds 0 -> 300",
            'log.format "text" -> "json"',
            "limits.tranthor.requests 2 -> none",
            "limits.tranthor.seconds 3600 -> 60",
            "projects.default.quarantine_megabytes 256 -> 0",
            "dialects.databuddy.enabled true -> false",
        ],
        [],  # --workers wins over the file
    )
    assert [reloading.send(name) for name in ("c", "d", "e", "a")] == [204] * 4
    assert requests.post(f"{served.url}/track", json={"name": "x"}, timeout=PATIENCE).status_code == 405
    assert finish() == "401"  # what was begun before the reload ends as it would have ended
    assert reloading.send("f", None) == 204
    held = json.loads(served.cli("quarantine", "list"))  # one line of JSON an item
    assert held["kept"] is False


def check_stop(reloading: Reloading) -> None:
    served = reloading.served
    reloading.ask(signal.SIGTERM)
    until(lambda: reloading.get("/-/ready") == (503, "draining\n"))
    assert (reloading.send("g"), reloading.get("/-/healthy")[0]) == (204, 200)
    began = time.monotonic()
    assert served.stop() == 0  # a second SIGTERM ends the wait
    assert time.monotonic() - began < SOON
    assert reloading.told() == [
        "READY=1",
        *["RELOADING=1", "READY=1"] * 4,
        "STOPPING=1",
    ]
    first, *_, last = [line for line in reloading.log().splitlines() if " gateway: " in line or '"gateway",' in line]
    assert "gateway 0." in first
    assert json.loads(last)["signal"] == "SIGTERM"
    assert sorted(event["message_id"] for event in served.events()) == ["a", "b", "c", "d", "e", "g"]


def test_a_process_that_cannot_take_a_configuration_is_replaced_by_one_that_has_it(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "gateway.toml"
    file.write_text(WITH_LIMIT)
    with gateway(data, "--config", str(file)) as served:
        before = family(served.process.pid)
        (data / "keys.db").rename(data / "away")
        file.write_text("")
        served.process.send_signal(signal.SIGHUP)
        until(lambda: log_of(data).count("starting another") >= 2)
        (data / "away").rename(data / "keys.db")
        until(lambda: {sent(served.url, {"messageId": str(number), "event": "e"}) for number in range(5)} == {204})
        after = family(served.process.pid)
        changed = [name for name, pid in after.items() if before[name] != pid]
        assert sorted(changed) == ["HTTP worker 1", "HTTP worker 2"]
        assert log_of(data).count("configuration reloaded: limits.tranthor.requests 2 -> none") == 1


def test_a_file_that_would_never_end_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("")
    with serving(tmp_path / "data", "--config", str(file)) as served:
        file.unlink()
        os.mkfifo(file)
        served.process.send_signal(signal.SIGHUP)
        said = f"the old one stays: {file}: cannot be read again: it is not a regular file"
        until(lambda: said in log_of(tmp_path / "data"))
        assert served.stop() == 0


def test_signals_that_come_at_the_very_end_do_no_harm() -> None:
    ended = subprocess.run([sys.executable, "-c", LAST_SIGNALS], check=False, capture_output=True, timeout=PATIENCE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"ended by itself\n", b"")


def test_a_process_that_is_just_ending_does_not_keep_the_others_from_a_configuration() -> None:
    @contextmanager
    def job() -> Iterator[Job]:
        yield Job(WRITER, Config())

    async def renewing() -> None:
        supervised = SupervisedProcess(WRITER, job, needed=False)
        async with asyncio.timeout(PATIENCE):
            while supervised._process is None or supervised._process.stdin is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            supervised._process.stdin.close()
            await asyncio.sleep(0)  # now the pipe is closed, and the process has not ended
            await supervised.renew(Config(server=ServerSettings(drain_seconds=5)))
            assert await supervised.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(renewing())


async def test_a_configuration_that_cannot_be_applied_changes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(make(tmp_path))
    async with store.keys(make=True):
        pass
    with bind("127.0.0.1", 0) as listener:
        async with (
            store.storage(StoreSettings()) as storage,
            Answering(Config(), store, storage).opened(Listeners(sockets=(listener,))) as answering,
        ):
            (tmp_path / "keys.db").rename(tmp_path / "away")
            with pytest.raises(KeyFileError):
                await answering.renew(Config(server=ServerSettings(drain_seconds=5)))
            assert answering.config == Config()
            answer = await asyncio.to_thread(requests.get, f"{answering.url}/-/ready", timeout=PATIENCE)
            assert answer.status_code == 200
