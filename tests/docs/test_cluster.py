"""examples/cluster: its files name what is there, and its parts work together, on real servers without containers."""

import configparser
import contextlib
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
import requests
import yaml
from requests.adapters import HTTPAdapter

from gateway.cli.main import main
from gateway.config import load
from gateway.testing.postgres.installation import Installation, new_folder, own, wheel
from tests.docs.expectations import EXAMPLES, PATIENCE, program
from tests.docs.proxies import filled_in, free_port, proxying
from tests.docs.readme import blocks
from tests.kit.engines import parsed
from tests.kit.postgres.cluster import PASSWORD, Cluster
from tests.kit.postgres.cluster import free_port as free_database_port
from tests.kit.serving import Served, serving

CLUSTER = EXAMPLES / "cluster"
PAGE = (CLUSTER / "README.md").read_text("utf-8")
CLIENT = "127.0.0.2"
GATEWAYS = ("gateway1", "gateway2")


# The files


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file as it stands; `<<` is merged."""
    found = yaml.safe_load((CLUSTER / "compose.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def environment(file: str) -> dict[str, str]:
    """The variables of an environment file as systemd reads it."""
    lines = (CLUSTER / file).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_compose_files_services_are_there_and_each_file_that_it_mounts(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"balancer", *GATEWAYS, "console", "primary", "standby"}
    mounted = [volume.split(":")[0] for each in services.values() for volume in each.get("volumes", ())]
    files = {name for name in mounted if name.startswith("./")}
    assert files == {"./nginx.conf", "./node.sh", "./primary.sh"}
    assert [name for name in files if not (CLUSTER / name).is_file()] == []
    assert {name for name in mounted if not name.startswith("./")} == set(compose["volumes"])
    needed = {name for each in services.values() for name in each.get("depends_on", ())}
    assert needed == {*GATEWAYS, "primary", "standby"}


def test_the_compose_files_addresses_are_apart_and_only_the_balancer_is_trusted(compose: dict[str, Any]) -> None:
    services = compose["services"]
    addresses = [each["networks"]["cluster"]["ipv4_address"] for each in services.values()]
    [subnet] = [each["subnet"] for each in compose["networks"]["cluster"]["ipam"]["config"]]
    assert len(set(addresses)) == len(services)
    assert [each for each in addresses if not each.startswith(subnet.removesuffix("0/24"))] == []
    for name in GATEWAYS:
        config = load(environ=services[name]["environment"])
        assert [str(each) for each in config.server.trusted_proxies] == [
            f"{services['balancer']['networks']['cluster']['ipv4_address']}/32"
        ]
        assert (config.server.host, config.server.port, config.server.console) == ("0.0.0.0", 8080, "off")
        assert re.sub(r":\$\{.*?\}", "", config.storage_url) == "postgresql://gateway@primary:5432,standby:5432/gateway"


def test_the_compose_file_has_one_console_for_browsers_of_this_machine(compose: dict[str, Any]) -> None:
    console = compose["services"]["console"]
    context = main.commands["console"].make_context("console", console["command"][1:])
    assert (console["command"][0], context.params["host"], context.params["port"]) == ("console", "0.0.0.0", 8081)
    assert console["ports"] == ["127.0.0.1:8081:8081"]
    assert load(environ=console["environment"]).server.public_url == "http://localhost:8080"


def test_the_compose_files_secrets_are_those_that_the_page_makes(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (CLUSTER / "compose.yaml").read_text("utf-8")))
    assert asked == set(re.findall(r'echo "(\w+)=', PAGE)) == {"DATABASE_PASSWORD", "REPLICATION_PASSWORD"}
    optional = set(re.findall(r"\$\{(\w+):-", (CLUSTER / "compose.yaml").read_text("utf-8")))
    assert optional == set(re.findall(r"echo '(\w+)=", PAGE)) == {"PRIMARY_FOLLOWS"}


def test_the_units_command_and_environment_are_the_gateways() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the names' case counts
    unit.read(CLUSTER / "gateway@.service", "utf-8")
    command, *arguments = shlex.split(unit["Service"]["ExecStart"].replace("%i", "8081"))
    assert (Path(command).name, arguments[0]) == ("gateway", "serve")
    assert isinstance(main, click.Group)
    context = main.commands["serve"].make_context("serve", arguments[1:])
    assert (context.params["host"], context.params["port"]) == (("127.0.0.1",), 8081)
    config = load(environ=environment("gateway.env"))
    assert config.storage_url == "postgresql://gateway:CHANGE-ME@db1.internal:5432,db2.internal:5432/gateway"
    assert [str(each) for each in config.server.trusted_proxies] == ["127.0.0.1/32"]
    for path in (unit["Service"]["EnvironmentFile"], command.removesuffix("/bin/gateway")):
        assert path in PAGE


def test_the_pages_commands_are_those_of_the_gateway() -> None:
    named = re.findall(r"(?:bin/|exec gateway\d )gateway ([a-z ]+)$", "\n".join(blocks("sh", PAGE)), re.MULTILINE)
    assert named == ["events count", "keys list", "events count"]
    for names in named:
        command: Any = main
        for name in names.split():
            command = command.commands[name]


# The parts, run together


@attrs.frozen
class Running:
    """The whole: both nodes of the database, both gateways, the balancer's URL, and a Databuddy key."""

    primary: Cluster
    standby: Cluster
    gateways: tuple[Served, Served]
    url: str
    key: str


def script(name: str, installation: Installation, **env: str) -> None:
    """Run a script of the example as a container would, but for the image's own start."""
    path = f"{env.pop('FIRST', '')}:{installation.program('psql').parent}:{os.environ['PATH']}"
    command = ["sh", str(CLUSTER / name), "-c", "max_slot_wal_keep_size=4GB"]
    done = subprocess.run(
        command, env={**env, "PATH": path}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def following(primary: Cluster, folder: Path) -> Iterator[Cluster]:
    """Make a standby by node.sh, and start it with the settings that it has then."""
    other = Cluster(primary.installation, new_folder(), free_database_port(), {})
    start = folder / "docker-entrypoint.sh"
    start.write_text(f'#!/bin/sh\necho "$@" > {folder}/started\n')
    start.chmod(0o755)
    try:
        for _ in range(2):  # the second time, it finds the copy
            script(
                "node.sh",
                primary.installation,
                FIRST=str(folder),
                NODE="standby",
                FOLLOW="127.0.0.1",
                PGPORT=str(primary.port),
                PGDATA=str(other.data),
                REPLICATION_PASSWORD="secret",
            )
        assert (folder / "started").read_text() == "postgres -c max_slot_wal_keep_size=4GB\n"
        own(other.folder)
        written = re.findall(r"^(primary_\w+) = '(.*)'$", (other.data / "postgresql.auto.conf").read_text(), re.M)
        assert (other.data / "standby.signal").exists()
        assert [name for name, _ in written] == ["primary_conninfo", "primary_slot_name"]
        other.settings = {**primary.settings, **{name: value.replace("''", "'") for name, value in written}}
        other.start()
        yield other
    finally:
        other.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    program("nginx")
    folder = tmp_path_factory.mktemp("cluster")
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(Cluster.started(wheel()))
        primary.create_database("gateway")
        script(
            "primary.sh",
            primary.installation,
            PGHOST=str(primary.folder),
            PGPORT=str(primary.port),
            PGDATA=str(primary.data),
            POSTGRES_USER="postgres",
            POSTGRES_DB="gateway",
            REPLICATION_PASSWORD="secret",
        )
        primary.sql("SELECT pg_reload_conf()")
        standby = stack.enter_context(following(primary, folder))
        primary.wait_until("SELECT coalesce(bool_and(sync_state = 'sync'), false) FROM pg_stat_replication")
        assert primary.sql("SHOW synchronous_standby_names") == ["*"]
        assert primary.sql("SELECT slot_name FROM pg_replication_slots WHERE active") == ["standby"]

        env = environment("gateway.env")
        nodes = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        url = env.pop("GATEWAY_STORAGE").replace("db1.internal:5432,db2.internal:5432", nodes)
        url = url.replace("CHANGE-ME", PASSWORD)
        first, second = (stack.enter_context(serving(folder / name, storage=url, env=env)) for name in GATEWAYS)
        assert [each.greeting.startswith("First start") for each in (first, second)] == [True, False]
        key = first.add_key("databuddy", "api_key")
        token = first.cli("admin-token").strip()
        second.wait_for_token(token)
        port = free_port()
        changes = {
            "listen 80;": f"listen 127.0.0.1:{port};",
            "gateway1:8080": first.url.removeprefix("http://"),
            "gateway2:8080": second.url.removeprefix("http://"),
        }
        stack.enter_context(proxying(folder, port, filled_in(CLUSTER / "nginx.conf", folder, changes)))
        yield Running(primary, standby, (first, second), f"http://127.0.0.1:{port}", key)


class From(HTTPAdapter):
    """Connects from CLIENT, which is not the balancer's address."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(CLIENT, 0))


def send(running: Running, *names: str) -> None:
    """Send events by way of the balancer as an SDK does: again until it is answered with a 2xx."""
    headers = {"Authorization": f"Bearer {running.key}", "Origin": "https://shop.example"}
    deadline = time.monotonic() + PATIENCE
    with requests.Session() as session:
        session.mount("http://", From())
        for name in names:
            status = 0
            while status != 200:
                assert time.monotonic() < deadline, (name, status)
                event = {"name": name, "eventId": name}
                answer = session.post(f"{running.url}/track", json=event, headers=headers, timeout=PATIENCE)
                status = answer.status_code
                assert status in (200, 502, 503), answer.text


def stored(served: Served) -> list[tuple[str, str]]:
    """Return name and address of all events."""
    return sorted((each["name"], each["context"]["ip"]) for each in parsed(served.cli("events", "export")))


def test_it_works_and_goes_on_without_a_gateway_and_then_without_the_first_node_of_the_database(
    running: Running,
) -> None:
    first, second = running.gateways
    names = [f"{number:02}" for number in range(40)]
    send(running, *names[:20])
    by_gateway = "SELECT count(DISTINCT gateway) FROM gateway.counters WHERE verdict = 'stored'"
    assert running.primary.sql(by_gateway, "gateway") == ["2"]
    ways = {path: requests.get(f"{running.url}{path}", timeout=PATIENCE).status_code for path in PATHS}
    assert ways == PATHS

    first.process.send_signal(signal.SIGKILL)
    first.process.wait(PATIENCE)
    send(running, *names[20:30])
    assert requests.get(f"{running.url}/-/ready", timeout=PATIENCE).text == "ready\n"

    running.primary.kill()
    running.standby.promote()
    send(running, *names[20:])
    assert stored(second) == [(name, CLIENT) for name in names]


PATHS = {"/-/ready": 200, "/-/shim/browsee.js": 200, "/-/metrics": 404, "/-/receipts/1": 404, "/-/healthy": 404}
