"""One gateway a module; what each test proves goes into the report. fixtures.py has Node, Chromium and the site."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.serving import Served, add_key, serving
from tests.sdk.going_back import KEEP, unlisted
from tests.sdk.stored import Kept
from tests.sdk.vendors import KEYS


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(sdk, version, call): a row of the report; {parameters} are filled in")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("proves")
        if marker is not None:
            parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
            words = [str(word).format(**parameters) for word in marker.args]
            item.user_properties.extend(zip(("sdk", "version", "call"), words, strict=True))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that knows the team's credentials and has no events."""
    data = tmp_path_factory.mktemp("keys") / "data"
    for dialect, kind, value, *options in KEYS:
        add_key(data, dialect, kind, value, *options)
    return data


@pytest.fixture(scope="module")
def gateway(keys: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A running gateway; a module's `CONFIG`, if it has one, is its configuration."""
    folder = tmp_path_factory.mktemp("gateway")
    shutil.copytree(keys, folder / "data")
    config: str | None = getattr(request.module, "CONFIG", None)
    options: tuple[str, ...] = ()
    if config is not None:
        (folder / "gateway.toml").write_text(config, "utf-8")
        options = ("--config", str(folder / "gateway.toml"))
    with serving(folder / "data", *options, env=KEEP) as served:
        yield served
        assert unlisted(served.data) == set()


@pytest.fixture
def stored(gateway: Served) -> Iterator[Kept]:
    """The events that this test causes; nothing may be left that it did not take."""
    kept = Kept(gateway.data / "events.db")
    kept.rest()
    yield kept
    assert kept.rest() == []
