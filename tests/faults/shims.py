"""LD_PRELOAD shims, compiled when a test asks: they stand between the gateway and the kernel."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "shims"


def compiled(name: str, folder: Path) -> Path:
    """Return a shim as a shared object in the folder; skips the test where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        # For whoever runs the tests without one; .ci/run installs it, and fails on any skip.
        pytest.skip("there is no C compiler: the shim cannot be made")
    made = folder / f"{name}.so"
    if not made.exists():
        source = SOURCES / f"{name}.c"
        command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(made), str(source), "-ldl"]
        subprocess.run([*command, "-lpthread"], check=True, timeout=60)
    return made
