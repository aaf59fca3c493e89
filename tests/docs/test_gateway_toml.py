import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from gateway.config import Config, load
from gateway.config.environment import PREFIX, VARIABLES
from gateway.config.settings import ProjectSettings, ServerSettings, Settings, StorageSettings
from gateway.ingest.address_policy import IpPolicy
from gateway.ingest.rate_limit import Limit
from gateway.ingest.registry import discover
from tests.docs.expectations import EXAMPLES
from tests.kit.serving import run

FILE = EXAMPLES / "gateway.toml"
DIALECTS = discover()


def switched_on() -> str:
    """Return the file with what it only shows (`#name = value`) set."""
    return re.sub(r"^#(?! |$)", "", FILE.read_text("utf-8"), flags=re.MULTILINE)


def names(settings: type) -> set[str]:
    return {field.name for field in attrs.fields(settings)}


def keys(tables: Mapping[str, Any]) -> set[str]:
    [common] = {frozenset(table) for table in tables.values()}
    return set(common)


def test_check_config_finds_it_good() -> None:
    done = run("check-config", str(FILE))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{FILE}: good\n", "")


def test_what_it_only_shows_can_be_set_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(switched_on(), "utf-8")
    done = run("check-config", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{file}: good\n", "")


def test_as_it_stands_it_says_what_holds_without_it() -> None:
    said = load(FILE, environ={})
    assert said == Config(
        file=FILE,
        body_caps={dialect.name: dialect.body_cap for dialect in DIALECTS},
        switches={dialect.name: frozenset() for dialect in DIALECTS},
        switched_off={dialect.name: frozenset(switch.name for switch in dialect.switches) for dialect in DIALECTS},
        client_ip={"default": IpPolicy.KEEP},
    )
    nobodys = Config().keep_ip("default")
    assert (said.keep_ip("default"), said.limits, said.hosts) == (nobodys, Config().limits, Config().hosts)


def test_it_names_every_setting_that_there_is() -> None:
    document = tomllib.loads(switched_on())
    assert set(document) == names(Settings)
    assert set(document["server"]) == names(ServerSettings)
    assert set(document["storage"]) == names(StorageSettings)
    assert keys(document["limits"]) == names(Limit)
    assert keys(document["projects"]) == names(ProjectSettings)
    assert {name: set(table) for name, table in document["dialects"].items()} == {
        dialect.name: {"body_limit_bytes", *(switch.name for switch in dialect.switches)} for dialect in DIALECTS
    }


def test_what_it_says_of_the_environment_holds() -> None:
    tables = {"server": names(ServerSettings), "storage": names(StorageSettings)}
    assert {name: (table, key) for name, (table, key, _) in VARIABLES.items()} == {
        key.upper(): (table, key) for table, keys in tables.items() for key in keys
    }
    said = set(re.findall(rf"{PREFIX}([A-Z_]+)", FILE.read_text("utf-8")))
    assert said - set(VARIABLES) == {"CONFIG", "DATA"}
