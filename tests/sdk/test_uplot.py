"""The chart library that the console ships is the file of the npm package that it says it is."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.sdk.programs import MODULES

SHIPPED = Path(__file__).parents[2] / "gateway" / "console" / "assets" / "vendor" / "uplot"


@pytest.mark.usefixtures("drive")  # which installs the packages
def test_the_console_ships_the_npm_packages_own_files() -> None:
    package = MODULES / "uplot"
    told, *sums = [line for line in (SHIPPED / "SOURCE").read_text("utf-8").splitlines() if line]
    assert told.startswith(f"uPlot {json.loads((package / 'package.json').read_bytes())['version']}: ")
    files = [line.split()[1] for line in sums]
    assert {Path(name).name for name in files} | {"SOURCE"} == {each.name for each in SHIPPED.iterdir()}
    for line in sums:
        digest, name = line.split()
        shipped = (SHIPPED / Path(name).name).read_bytes()
        assert shipped == (package / name).read_bytes()
        assert hashlib.sha256(shipped).hexdigest() == digest
