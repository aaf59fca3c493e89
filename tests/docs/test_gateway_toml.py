import re
import tomllib
from pathlib import Path

from gateway.config import Config, DialectSettings, LimitSettings, ProjectSettings, load
from gateway.config.document import page
from gateway.config.example_file import toml
from gateway.config.setting import settings_of
from gateway.ingest.registry import discover
from tests.docs.expectations import EXAMPLES
from tests.docs.readme import ROOT
from tests.kit.serving import run

FILE = EXAMPLES / "gateway.toml"
DIALECTS = [each for each in discover() if f"[dialects.{each.name}]" in FILE.read_text("utf-8")]
"""Those that the example names: a dialect that has just come need not be among them."""


def switched_on(tmp_path: Path) -> Path:
    """Return a file in which is set what the example only shows (`#name = value`)."""
    file = tmp_path / "gateway.toml"
    file.write_text(re.sub(r"^#(?! |$)", "", FILE.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    return file


def test_the_example_and_the_page_are_what_the_tree_of_settings_says() -> None:
    """`python -m gateway.config.document` writes both anew."""
    assert FILE.read_text("utf-8") == toml(DIALECTS)
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == page(DIALECTS)


def test_it_names_dialects() -> None:
    assert len(DIALECTS) > 1


def test_check_config_finds_it_good() -> None:
    done = run("check-config", str(FILE))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{FILE}: good\n", "")


def test_what_it_only_shows_can_be_set_as_it_stands(tmp_path: Path) -> None:
    file = switched_on(tmp_path)
    done = run("check-config", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{file}: good\n", "")
    config = load(file, environ={})
    assert config.hosts == {"collect.example.com": "databuddy"}
    assert config.limits == {"databuddy": LimitSettings(requests=1000, seconds=60)}


def test_as_it_stands_it_says_what_holds_without_it() -> None:
    config = load(FILE, environ={})
    assert config == Config(
        file=FILE,
        projects={"default": ProjectSettings()},
        dialects={
            dialect.name: DialectSettings(
                body_limit_bytes=dialect.body_cap, switches={switch.name: False for switch in dialect.switches}
            )
            for dialect in DIALECTS
        },
    )
    assert config.keep_ip("default") == Config().keep_ip("default")


def test_it_names_every_setting(tmp_path: Path) -> None:
    document = tomllib.loads(switched_on(tmp_path).read_text("utf-8"))
    defaults = Config()
    assert {name: set(document[name]) for name in ("server", "storage")} == {
        name: set(settings_of(type(getattr(defaults, name)))) for name in ("server", "storage")
    }
    assert set(document) == set(settings_of(Config))
    assert set(document["limits"]["databuddy"]) == set(settings_of(LimitSettings))
    assert set(document["projects"]["default"]) == set(settings_of(ProjectSettings))
    assert {name: set(table) for name, table in document["dialects"].items()} == {
        dialect.name: {*settings_of(DialectSettings), *(switch.name for switch in dialect.switches)}
        for dialect in DIALECTS
    }
