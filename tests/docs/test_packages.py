"""The source distribution: what is in it, and that a wheel made of it runs where there is no checkout."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import requests

from tests.docs.expectations import PATIENCE
from tests.docs.readme import ROOT
from tests.docs.test_first_command import INSTALLED, PACKAGES, SHIPPED

BESIDE = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
MAKE = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"


def run(*command: str | Path, folder: Path, **env: str) -> str:
    """Run a program that has to succeed."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=INSTALLED, check=False
    )
    if "No matching distribution found for setuptools" in done.stderr:
        # Without a package index nothing can be built. .ci/run has one, and fails on any skip.
        pytest.skip("pip finds no setuptools: there is no package index here")
    assert done.returncode == 0, done.stderr
    return done.stdout


def pip(*arguments: str | Path, folder: Path) -> None:
    run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, folder=folder)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of the tree."""
    folder = tmp_path_factory.mktemp("packages")
    tree = folder / "tree"
    tree.mkdir()
    for name in BESIDE:
        shutil.copy(ROOT / name, tree)
    for name in (*PACKAGES, "tests", "examples"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    pip("install", "--target", folder / "setuptools", "setuptools>=68", folder=folder)
    run(sys.executable, "-c", MAKE, folder / "dist", folder=tree, PYTHONPATH=str(folder / "setuptools"))
    [made] = (folder / "dist").glob("event_gateway-*.tar.gz")
    return made


def shipped() -> set[str]:
    files = {file for name in PACKAGES for file in (ROOT / name).rglob("*") if file.suffix in SHIPPED}
    return {file.relative_to(ROOT).as_posix() for file in files if "__pycache__" not in file.parts}


def test_it_has_the_packages_and_what_belongs_to_them(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    there = {name for name in names if Path(name).suffix in SHIPPED and name.split("/")[0] in PACKAGES}
    assert there == shipped()
    assert set(BESIDE) - names == set()


def test_a_wheel_of_it_serves_events_and_the_console_outside_the_checkout(archive: Path) -> None:
    folder = archive.parent
    pip("wheel", "--no-deps", "--wheel-dir", folder, archive, folder=folder)
    [wheel] = folder.glob("event_gateway-*.whl")
    pip("install", "--no-deps", "--target", folder / "site", wheel, folder=folder)
    dependencies = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    env = {"PYTHONPATH": f"{folder / 'site'}{os.pathsep}{dependencies}", "GATEWAY_CONSOLE": "127.0.0.1:0"}
    command = [sys.executable, "-c", "from gateway.cli.main import main; main()"]
    imported = run(sys.executable, "-c", "import gateway; print(gateway.__file__)", folder=folder, **env)
    assert Path(imported.strip()).parent == folder / "site" / "gateway"
    serve = ["serve", "--data", "data", "--port", "0"]
    with subprocess.Popen(
        [*command, *serve], cwd=folder, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            output = ""
            while not (url := re.search(r"^http://\S+$", output, re.MULTILINE)):
                line = process.stdout.readline()
                assert line, output
                output += line
            [key] = re.findall(r"Bearer (\w+)", "".join(re.findall(r"curl .*/track.*", output)))[:1]
            sent = requests.post(
                f"{url[0]}/track", json={"name": "e"}, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
            )
            [login] = re.findall(r"^ +(http://\S+/login\S*)$", output, re.MULTILINE)
            page = requests.get(login, timeout=PATIENCE)
            [style] = re.findall(r'href="(/assets/console\.css[^"]*)"', page.text)
            styled = requests.get(f"{login.partition('/login')[0]}{style}", timeout=PATIENCE)
        finally:
            process.terminate()
        process.communicate(timeout=PATIENCE)
    assert (sent.status_code, page.status_code, styled.status_code, process.returncode) == (200, 200, 200, 0)
    assert run(*command, "events", "count", "--data", "data", folder=folder, **env).split()[-1] == "1"
