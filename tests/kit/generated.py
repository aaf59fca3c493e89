"""A dialect as `gateway dialects new` writes it, and as if it were installed: pip would take seconds, and an index."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import attrs

from gateway.testing.scaffold.distribution import write


@attrs.frozen
class Generated:
    """Where it lies, and the environment in which commands find it."""

    name: str
    folder: Path
    env: Mapping[str, str]

    @property
    def corpus(self) -> Path:
        """The folder of its cases."""
        return self.folder / "tests" / "corpus" / self.name


def generated(name: str, folder: Path) -> Generated:
    """Write a new dialect, and put the entry points of its pyproject.toml where Python looks for them."""
    write(name, folder, installed=())
    return installed(name, folder)


def installed(name: str, folder: Path) -> Generated:
    """Return a dialect that was written before, with its entry points where Python looks for them."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    facts = folder / f"{name}_dialect-{project['version']}.dist-info"
    facts.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (facts / "METADATA").write_text(metadata, "utf-8")
    groups = project["entry-points"].items()
    lines = [line for group, points in groups for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))]
    (facts / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    # No plugin of this environment but the gateway's own (`-p gateway.pytest_plugin`): strangers have none.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    paths = [str(folder), str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return Generated(name, folder, {**env, "PYTHONPATH": os.pathsep.join(paths), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
