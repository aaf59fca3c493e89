"""examples/systemd: systemd itself takes the units for good, and their commands and settings are the gateway's."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.main import main
from gateway.config import load
from tests.docs.expectations import EXAMPLES, PATIENCE, program
from tests.docs.readme import blocks

UNITS = EXAMPLES / "systemd"
PAGE = (UNITS / "README.md").read_text("utf-8")
INSTALLED = "/opt/gateway/bin/gateway"


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.optionxform = str  # type: ignore[assignment,method-assign]  # the names' case counts
    read.read(UNITS / name, "utf-8")
    return read


@pytest.mark.parametrize("folder", ["systemd", "cluster"])
def test_systemd_has_nothing_to_say_about_the_units(folder: str, tmp_path: Path) -> None:
    here = Path(sys.executable).with_name("gateway")
    files = []
    for file in sorted([*(EXAMPLES / folder).glob("*.service"), *(EXAMPLES / folder).glob("*.socket")]):
        text = file.read_text("utf-8").replace(INSTALLED, str(here))
        files.append(tmp_path / file.name.replace("@.", "@8081."))
        files[-1].write_text(text, "utf-8")
    assert files != []
    done = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    about_ours = [line for line in done.stderr.splitlines() if "gateway" in line]
    assert (done.returncode, about_ours) == (0, [])


def test_the_services_command_and_directory_are_the_gateways() -> None:
    service = unit("gateway.service")["Service"]
    command, *arguments = shlex.split(service["ExecStart"])
    assert (command, arguments) == (INSTALLED, ["serve"])
    main.commands["serve"].make_context("serve", arguments[1:])
    name, _, value = service["Environment"].partition("=")
    assert str(load(environ={name: value}).data) == value == f"/var/lib/{service['StateDirectory']}"
    assert (service["User"], service["Type"], service["ExecReload"]) == ("gateway", "notify", "/bin/kill -HUP $MAINPID")


def test_the_socket_is_where_the_gateway_listens_by_itself() -> None:
    server = load(environ={}).server
    assert unit("gateway.socket")["Socket"]["ListenStream"] == f"{server.host}:{server.port}"


def test_the_page_puts_every_file_where_the_units_look_for_it() -> None:
    [install, count] = blocks("sh", PAGE)
    assert set(re.findall(r"examples/systemd/(\S+)", install)) == {"gateway.service", "gateway.socket"}
    service = unit("gateway.service")["Service"]
    assert service["EnvironmentFile"].removeprefix("-") in install
    assert INSTALLED.removesuffix("/bin/gateway") in install
    assert f"useradd --system --home-dir /var/lib/{service['StateDirectory']} {service['User']}\n" in install
    assert INSTALLED in count
