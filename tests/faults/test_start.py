"""What keeps a server from starting is told in one line, which names what to change, with exit code 1."""

import errno
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.lives import complaints, log_of, seconds_until, watched
from tests.kit.serving import run

ADDRESS = "a name or an address of this machine, such as 127.0.0.1"
NO_SOCKETS = "several workers need Unix sockets there: choose another --data, or --workers 1"


def told(data: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = run("serve", "--data", str(data), "--port", "0", *arguments, env=env)
    return done.returncode, done.stdout, done.stderr


def test_an_empty_host_is_told_apart_from_none(tmp_path: Path) -> None:
    assert told(tmp_path / "data", "--host", "") == (
        1,
        "",
        "Error: command line: server.host: must name an address, such as 127.0.0.1, or be 'off'\n",
    )


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("nosuch.invalid", None),
        ("http://127.0.0.1", None),
        ("127.0.0.1:8080", None),
        ("a..b", "it is not a host name"),
        ("a" * 64 + ".example", "it is not a host name"),
    ],
)
def test_a_host_that_is_none_is_named_with_its_option(host: str, why: str | None, tmp_path: Path) -> None:
    code, out, err = told(tmp_path / "data", "--host", host)
    begins = f"Error: cannot listen on {host!r}: {why or ''}"
    assert (code, out, err.count("\n"), err.startswith(begins)) == (1, "", 1, True), err
    assert err.endswith(f"; choose another --host: {ADDRESS}\n")


def test_an_address_of_another_machine_is_the_fault_of_the_host(tmp_path: Path) -> None:
    said = "Error: cannot listen on 192.0.2.1 port 0: Cannot assign requested address; choose another --host\n"
    assert told(tmp_path / "data", "--host", "192.0.2.1") == (1, "", said)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_is_the_fault_of_the_port(workers: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--data", str(tmp_path / "data"), "--port", str(port), "--workers", workers)
    said = f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another --port\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


@pytest.mark.parametrize(("number", "why"), [(errno.ENOLCK, "No locks available"), (errno.EIO, "Input/output error")])
def test_a_lock_that_cannot_be_taken_is_no_other_gateway(
    number: int, why: str, tmp_path: Path, shim: Callable[[str], Path]
) -> None:
    env = {"LD_PRELOAD": str(shim("refuse")), "FAULTS_FLOCK": str(number)}
    data = tmp_path / "data"
    said = f"Error: cannot lock {data}/lock: {why}; choose a --data on a file system that has locks\n"
    assert told(data, env=env) == (1, "", said)


def test_several_workers_say_that_they_need_sockets_and_one_does_without(
    tmp_path: Path, shim: Callable[[str], Path]
) -> None:
    env = {"LD_PRELOAD": str(shim("refuse")), "FAULTS_BIND": str(errno.EPERM)}
    data = tmp_path / "data"
    said = f"Error: cannot listen on {data}/gateway.sock: Operation not permitted; {NO_SOCKETS}\n"
    assert told(data, "--workers", "2", env=env) == (1, "", said)
    with watched(data, env=env) as served:
        seconds_until(served.url, 200)
        assert served.stop() == 0
    assert f"cannot listen on {data}/gateway.sock: [Errno 1] Operation not permitted" in log_of(data)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_path_that_is_too_long_for_a_socket_is_served(workers: str, tmp_path: Path) -> None:
    data = tmp_path / ("x" * 150) / "data"
    data.parent.mkdir()
    with watched(data, "--workers", workers) as served:
        served.cli("quarantine", "list")
        assert served.stop() == 0
    assert complaints(data) == []


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("events.db", None, "cannot open {}: unable to open database file"),
        ("keys.db", None, "cannot open {}: unable to open database file"),
        ("events.db", b"x" * 5000, "cannot open {}: file is not a database"),
        ("keys.db", b"x" * 5000, "cannot open {}: file is not a database"),
        ("keys.db", b"", "{} is not a gateway key file"),
        ("lock", None, "cannot use {0.parent}: Is a directory"),
    ],
)
def test_a_file_that_is_no_such_file_is_named(
    name: str, content: bytes | None, why: str, workers: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    file = data / name
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    assert told(data, "--workers", workers) == (1, "", f"Error: {why.format(file)}\n")


def test_a_directory_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name, said in (
        ("file", "{} is not a directory"),
        ("file/data", "cannot create {}: Not a directory"),
        ("loop", "cannot use {}: Too many levels of symbolic links"),
        ("dangling", "{} is a link to a directory that does not exist"),
        ("x" * 300, "cannot create {}: File name too long"),
    ):
        assert told(tmp_path / name) == (1, "", f"Error: {said.format(tmp_path / name)}\n")


def test_a_directory_that_is_only_readable_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    if subprocess.run(["mount", "--bind", "-o", "ro", data, data], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here: it takes root")  # .ci/run fails on any skip
    try:
        said = f"Error: cannot use {data}: Read-only file system\n"
        assert told(data) == (1, "", said)
    finally:
        subprocess.run(["umount", "-l", data], check=True)


@pytest.mark.parametrize("spelling", ["INFO", "info", "Warning", " DEBUG "])
def test_a_log_level_may_be_spelled_in_any_case(spelling: str, tmp_path: Path) -> None:
    with watched(tmp_path / "data", env={"GATEWAY_LOG_LEVEL": spelling}) as served:
        assert served.stop() == 0
