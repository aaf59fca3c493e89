"""Which dialects are served, where, by configuration."""

import json
from pathlib import Path

import requests

from gateway.config import Config
from gateway.config.serving import install_enabled, router
from gateway.config.settings import DialectSettings, ServerSettings
from gateway.ingest.registry import discover
from tests.ingest.test_router import FIRST, SECOND, found
from tests.kit.serving import PATIENCE, run, serving

BOTH = (FIRST, SECOND)


def test_a_dialect_that_is_off_is_nowhere() -> None:
    config = Config(dialects={"first": DialectSettings(enabled=False)}, hosts={"one.example": "first"})
    installed = install_enabled(config, BOTH)
    assert [each.dialect.name for each in installed] == ["second"]
    served = router(config, installed)
    assert found(served.match("", "PUT", "/track")) == ("second", "/track", "things")
    assert found(served.match("one.example", "PUT", "/track")) == ("second", "/track", "things")
    assert found(served.match("", "POST", "/first/track")) == ("second", "/first/track", "allowed: ")


def test_a_dialect_without_the_root_is_mounted_and_on_its_hosts() -> None:
    config = Config(dialects={"first": DialectSettings(root=False)}, hosts={"one.example": "first"})
    served = router(config, install_enabled(config, BOTH))
    assert found(served.match("", "PUT", "/track")) == ("second", "/track", "things")
    assert found(served.match("", "POST", "/first/track")) == ("first", "/track", "things")
    assert found(served.match("one.example", "POST", "/track")) == ("first", "/track", "things")


def test_the_order_decides_who_answers_a_path_of_several() -> None:
    for order in (("first", "second"), ("second", "first"), ("second",)):
        config = Config(server=ServerSettings(root_order=order))
        match = router(config, install_enabled(config, BOTH)).match("", "POST", "/track")
        assert match is not None
        assert match.installed.dialect.name == order[0]


def test_a_bodys_limit_is_the_configurations() -> None:
    config = Config(dialects={"first": DialectSettings(body_limit_bytes=10)})
    assert [each.dialect.body_cap for each in install_enabled(config, BOTH)] == [10, SECOND.body_cap]


def test_a_server_serves_what_its_configuration_says_and_a_command_lists_it(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[dialects.appizer]\nenabled = false\n[dialects.browsee]\nroot = false\n")
    with serving(tmp_path / "data", "--config", str(file)) as served:
        answers = [
            requests.post(f"{served.url}{path}", timeout=PATIENCE).status_code
            for path in ("/v1/events", "/appizer/v1/events", "/api/v1/track", "/browsee/api/v1/track", "/track")
        ]
        assert answers == [404, 404, 404, 400, 400]
        assert "Appizer" not in served.greeting
    done = run("dialects", "routes", "--config", str(file), "--json")
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    others = {dialect.name for dialect in discover()} - {"appizer"}
    assert (done.returncode, {each["dialect"] for each in listed}) == (0, others)
    assert [each["path"] for each in listed if each["dialect"] == "browsee"] == [
        "/browsee/api/v1/track",
        "/browsee/api/v1/identify",
    ]
