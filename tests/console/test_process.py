"""The console's process: what `serve` prints of it, when it starts and ends, and that ingestion never waits for it."""

import os
import re
import signal
import socket
from pathlib import Path

import pytest
import requests

from tests.console.processes import LINK, alone, answers, console_of, free_port, logged_in, stat, until
from tests.kit.serving import PATIENCE, Served, run, serving

NICE = 10


def log_of(served: Served) -> str:
    return (served.data.parent / f"{served.data.name}.stderr").read_text()


def test_serve_prints_a_link_that_logs_in_once_and_last_its_url(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--console", "127.0.0.1:0") as served:
        lines = served.greeting.splitlines()
        assert [number for number, line in enumerate(lines) if line.startswith("http://")] == [len(lines) - 1]
        [(url, link)] = LINK.findall(served.greeting)
        browser = logged_in(url, link=link)
        first = browser.get(url, timeout=PATIENCE)
        assert (first.status_code, first.url) == (200, f"{url}/start")
        again = requests.post(f"{url}/login", data={"link": link}, timeout=PATIENCE)
        assert again.status_code == 403
        token = re.findall(r"^  (admin_\w+)$", served.greeting, re.MULTILINE)[0]
        assert logged_in(url, token=token).get(f"{url}/overview", timeout=PATIENCE).status_code == 200
        child = console_of(served.process.pid)
        assert child is not None
        assert os.getpriority(os.PRIO_PROCESS, child) == NICE
        assert served.stop() == 0
        assert stat(child)[:1] in ([], ["Z"])
        assert (link in log_of(served), token in log_of(served)) == (False, False)


def test_a_console_that_dies_is_started_again_and_ends_with_its_server(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}"
    with serving(tmp_path / "data", "--console", address, "--workers", "2") as served:
        first = console_of(served.process.pid)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: answers(url))
        second = console_of(served.process.pid)
        assert second not in (None, first)
        assert requests.get(f"{served.url}/-/ready", timeout=PATIENCE).status_code == 200
        assert f"the console (process {first}) was ended by signal 9; starting another" in log_of(served)
        served.process.kill()
        until(lambda: not answers(url))


def test_a_taken_address_is_one_line_and_the_console_has_it_once_it_is_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        context = serving(tmp_path / "data", "--console", f"127.0.0.1:{port}")
        served = context.__enter__()
        try:
            assert LINK.findall(served.greeting) == []
            assert requests.get(f"{served.url}/-/ready", timeout=PATIENCE).status_code == 200
            problem = f"the console cannot listen on 127.0.0.1 port {port}: Address already in use; trying again every"
            assert log_of(served).count(problem) == 1
            taken.close()
            until(lambda: answers(f"http://127.0.0.1:{port}"))
            until(lambda: f"answers at http://127.0.0.1:{port}" in log_of(served))
            assert log_of(served).count(problem) == 1
            assert served.stop() == 0
        finally:
            context.__exit__(None, None, None)


def test_the_console_alone_serves_a_store_whose_server_has_none(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        assert console_of(served.process.pid) is None
        settings = tmp_path / "console.toml"
        settings.write_text("")
        with alone(tmp_path, "--data", str(served.data), "--port", "0", "--config", str(settings)) as console:
            assert [line for line in console.said.splitlines() if line.startswith("http://")] == [console.url]
            [(url, link)] = LINK.findall(console.said)
            assert url == console.url
            page = logged_in(url, link=link).get(f"{url}/overview", timeout=PATIENCE)
            assert (page.status_code, "Overview" in page.text) == (200, True)
            named = {"Host": "later.example"}
            assert requests.get(f"{url}/login", headers=named, timeout=PATIENCE).status_code == 421
            settings.write_text("[server]\nconsole_hosts = ['later.example']\n")
            console.process.send_signal(signal.SIGHUP)
            changed = 'configuration reloaded: server.console_hosts [] -> ["later.example"]\n'
            until(lambda: changed in console.log())
            assert requests.get(f"{url}/login", headers=named, timeout=PATIENCE).status_code == 200
            console.process.send_signal(signal.SIGTERM)
            assert console.process.wait(PATIENCE) == 0
            assert [line.split()[1] for line in console.log().splitlines()] == ["INFO"] * 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("console", "--data", "{tmp}/none", "--port", "0"), 1, r"Error: there is no directory .*/none.*"),
        (("console", "--data", "{tmp}", "--port", "{taken}"), 1, r"Error: the console cannot listen on .* in use"),
        (("console", "--data", "{tmp}", "--host", "a..b"), 1, r"Error: .*a\.\.b.*"),
        (("console", "--data", "{tmp}", "--port", "70000"), 2, r".*'--port'.*"),
        (("console", "--data", "{tmp}", "--storage", "sqlite:x"), 2, r".*exclude each other"),
        (("serve", "--data", "{tmp}", "--console", "8081"), 2, r".*'--console': must be HOST:PORT, such as .*"),
        (("serve", "--data", "{tmp}", "--console", "a:1", "--no-console"), 2, r".*exclude each other"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_what_cannot_be_is_told_in_one_line(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        filled = [each.format(tmp=tmp_path, taken=taken.getsockname()[1]) for each in arguments]
        done = run(*filled)
    told = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (code, "")
    assert re.fullmatch(said, told[-1]), done.stderr
    assert (len(told) == 1) is (code == 1)
