"""The socket in a data directory: whose it is, and what happens where there can be none."""

from pathlib import Path

import pytest

from gateway.workers.ipc_socket import SOCKET, bound, bound_if_possible


def test_the_socket_is_for_its_owner_alone_and_old_ones_are_removed(tmp_path: Path) -> None:
    for name in ("control.sock", "writer.sock", SOCKET):
        (tmp_path / name).touch()
    with bound(tmp_path):
        assert [(path.name, oct(path.stat().st_mode)) for path in tmp_path.iterdir()] == [(SOCKET, "0o140600")]
    assert list(tmp_path.iterdir()) == []


def test_a_socket_of_another_gateway_in_the_place_of_the_directory_stays(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    with bound(directory):
        directory.rename(tmp_path / "away")
        directory.mkdir()
        (directory / SOCKET).touch()
    assert [path.name for path in directory.iterdir()] == [SOCKET]


def test_one_process_goes_on_where_the_filesystem_has_no_sockets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / SOCKET).mkdir()  # a name that cannot be bound
    with bound_if_possible(tmp_path) as listener:
        assert listener is None
    assert f"cannot listen on {tmp_path / SOCKET}: " in caplog.text
    assert "need the server stopped" in caplog.text
