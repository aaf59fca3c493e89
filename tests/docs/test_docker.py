"""examples/docker: its files name what is there and what the gateway takes. Nothing here needs a Docker engine."""

import ast
import json
import re
from typing import Any

import pytest
import yaml

from gateway.config import load
from tests.docs.expectations import EXAMPLES
from tests.docs.readme import ROOT, setup_cfg
from tests.kit.serving import serving

DOCKER = EXAMPLES / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text("utf-8").replace("\\\n", "")
LAST_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]


def instruction(name: str, text: str = LAST_STAGE) -> str:
    [found] = re.findall(rf"^{name} (.*)$", text, re.MULTILINE)
    return str(found)


def variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in instruction("ENV").split())


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_image_has_all_that_is_installed_and_extras_that_there_are() -> None:
    first = DOCKERFILE.partition("\nFROM ")[2].partition("\nFROM ")[0]
    copied = {name for line in re.findall(r"^COPY (.+) \S+$", first, re.MULTILINE) for name in line.split()}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    packages = {name.removesuffix("*") for name in setup_cfg()["options.packages.find"]["include"].split()}
    assert copied == {*packages, "setup.cfg", "pyproject.toml", "README.md", "LICENSE"}
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    extras = instruction("ARG EXTRAS=", first.replace("EXTRAS=", "EXTRAS= ")).split(",")
    assert set(extras) - set(setup_cfg()["options.extras_require"]) == set()


def test_the_image_serves_as_nobody_in_particular_what_is_in_its_volume() -> None:
    user = instruction("USER")
    assert user == "10001:10001"
    assert f"--owner gateway --group gateway --mode 700 {instruction('VOLUME')}" in LAST_STAGE
    settings = {name: value for name, value in variables().items() if name.startswith("GATEWAY_")}
    config = load(environ=settings)
    assert str(config.data) == instruction("VOLUME") == "/data"
    ports = [str(config.server.port), config.server.console.rpartition(":")[2]]
    assert instruction("EXPOSE").split() == ports
    assert (json.loads(instruction("ENTRYPOINT")), json.loads(instruction("CMD"))) == (["gateway"], ["serve"])


def test_the_image_is_healthy_while_the_gateway_is_ready(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ast.literal_eval(
        LAST_STAGE.rpartition(" CMD [")[0] and re.findall(r"\bCMD (\[\"python.*\])", LAST_STAGE)[0]
    )
    assert command[:2] == ["python", "-c"]
    with serving(tmp_path / "data") as served:
        monkeypatch.setenv("GATEWAY_PORT", served.url.rpartition(":")[2])
        exec(command[2], {})  # raises where the answer is no 200
        assert served.stop() == 0
    with pytest.raises(OSError, match="refused"):
        exec(command[2], {})


def test_the_compose_files_settings_are_the_gateways(compose: dict[str, Any]) -> None:
    services = compose["services"]
    gateway, caddy = services["gateway"], services["caddy"]
    address = caddy["networks"]["collect"]["ipv4_address"]
    environ = {
        name: re.sub(r"\$\{(\w+):\?.*?\}", r"\1.example", value) for name, value in gateway["environment"].items()
    }
    config = load(environ=environ)
    assert (config.server.public_url, [str(each) for each in config.server.trusted_proxies]) == (
        "https://SITE.example",
        [f"{address}/32"],
    )
    assert caddy["environment"]["UPSTREAM"] == f"gateway:{variables()['GATEWAY_PORT']}"
    placeholders = set(re.findall(r"\{\$(\w+):", (EXAMPLES / "Caddyfile").read_text("utf-8")))
    assert placeholders == set(caddy["environment"])
    mounted = [volume.split(":") for each in services.values() for volume in each["volumes"]]
    assert {name for name, *_ in mounted if not name.startswith(".")} == set(compose["volumes"])
    assert [name for name, *_ in mounted if name.startswith(".") and not (DOCKER / name).is_file()] == []
    assert ["data", instruction("VOLUME")] in mounted


def test_every_compose_file_builds_the_same_image(compose: dict[str, Any]) -> None:
    cluster = yaml.safe_load((EXAMPLES / "cluster" / "compose.yaml").read_text("utf-8"))
    builds = [compose["services"]["gateway"]["build"], cluster["services"]["gateway1"]["build"]]
    assert builds == [{"context": "../..", "dockerfile": "examples/docker/Dockerfile"}] * 2
