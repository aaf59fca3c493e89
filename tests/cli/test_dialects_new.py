"""`gateway dialects new`: what it writes, and that a stranger who types what it prints has a dialect that runs."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from gateway.printable import printable
from gateway.testing.scaffold.distribution import CannotWrite, files, write
from tests.kit.generated import generated, installed
from tests.kit.serving import PATIENCE, run, serving

WRITTEN = [
    ".gitignore",
    "README.md",
    "acme_dialect/__init__.py",
    "acme_dialect/credentials.py",
    "acme_dialect/errors.py",
    "acme_dialect/parse.py",
    "acme_dialect/py.typed",
    "acme_dialect/render.py",
    "acme_dialect/routes.py",
    "acme_dialect/schemas/__init__.py",
    "acme_dialect/schemas/event.json",
    "acme_dialect/translate.py",
    "acme_dialect/wire.py",
    "pyproject.toml",
    "tests/corpus/acme/_credentials.json",
    "tests/corpus/acme/a_body_that_is_no_event_is_refused.json",
    "tests/corpus/acme/an_event_is_stored.json",
    "tests/corpus/acme/an_event_sent_twice_is_stored_once.json",
    "tests/test_conformance.py",
]
NO_NAME = (
    "cannot be a dialect's name: use a-z, 0-9 and _, a letter first, 32 characters at most, and no keyword of Python"
)


def told(*arguments: str) -> tuple[int, str, str]:
    done = run("dialects", "new", *arguments)
    return done.returncode, done.stdout, done.stderr


def files_of(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def test_a_new_dialect_is_written_and_what_to_do_next_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = (
        "acme-dialect has the dialect acme, which answers POST /api/acme/v1/events.\n"
        "\n"
        "Next:\n"
        "  cd acme-dialect\n"
        "  pip install -e '.[test]'\n"
        "  pytest\n"
        "  gateway dialects check acme\n"
        "  gateway serve --data data\n"
        "\n"
        "Its README.md says what to change first.\n"
    )
    assert told("acme") == (0, expected, "")
    assert files_of(tmp_path / "acme-dialect") == WRITTEN


def test_its_folder_can_be_chosen_and_its_name_is_everywhere(tmp_path: Path) -> None:
    folder = tmp_path / "some where"
    code, out, err = told("my_shop2", "--into", str(folder))
    assert (code, err, out.splitlines()[3]) == (0, "", f"  cd '{folder}'")
    assert files_of(folder) == sorted(name.replace("acme", "my_shop2") for name in WRITTEN)
    texts = {file: (folder / file).read_text() for file in files_of(folder)}
    assert [file for file, text in texts.items() if re.search(r"(?i:acme)|NAME|\$(?!schema)", text)] == []
    assert 'name = "my-shop2-dialect"' in texts["pyproject.toml"]
    assert 'title="My Shop2"' in texts["my_shop2_dialect/__init__.py"]


def test_its_title_can_be_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    assert told("acme", "--into", str(folder), "--title", "Go$at 'Counter'")[0] == 0
    for file, text in (
        ("README.md", "# Go$at 'Counter'"),
        ("pyproject.toml", "description = \"The ingestion protocol of Go$at 'Counter', for the event gateway\""),
        ("acme_dialect/__init__.py", "    title=\"Go$at 'Counter'\","),
    ):
        assert text in (folder / file).read_text().splitlines()


@pytest.mark.parametrize("title", ["", " ", "a\nb", 'a "b"', "a\\", "{url}", "a" * 41])
def test_a_title_that_would_break_its_files_is_told_in_one_line(tmp_path: Path, title: str) -> None:
    folder = tmp_path / "new"
    assert told("acme", "--into", str(folder), "--title", title) == (
        1,
        "",
        f"Error: {printable(repr(title))} cannot be a title: use 40 characters at most, on one line, without quotation"
        " marks, backslashes and braces\n",
    )
    assert not folder.exists()


@pytest.mark.parametrize("name", ["a", "a" * 32])
def test_no_line_of_its_pages_is_longer_than_a_screen(name: str) -> None:
    long = {
        path.as_posix(): line
        for path, text in files(name)
        for line in text.splitlines()
        if len(line) > 120 and path.suffix in (".md", ".py", ".toml")
    }
    assert long == {}


def test_its_suite_says_nothing_but_what_it_found(tmp_path: Path) -> None:
    acme = generated("acme", tmp_path / "acme")
    env = {name: value for name, value in acme.env.items() if name != "PYTEST_DISABLE_PLUGIN_AUTOLOAD"}
    command = (sys.executable, "-m", "pytest", "-q", "-k", "kinds", "-p", "no:cacheprovider")
    done = subprocess.run(command, cwd=acme.folder, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "warning" not in done.stdout.lower()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", f"'' {NO_NAME}"),
        ("Acme", f"'Acme' {NO_NAME}"),
        ("2acme", f"'2acme' {NO_NAME}"),
        ("my-shop", f"'my-shop' {NO_NAME}"),
        ("../up", f"'../up' {NO_NAME}"),
        ("a" * 33, f"'{'a' * 33}' {NO_NAME}"),
        ("import", f"'import' {NO_NAME}"),
        ("acme\n", f"'acme\\n' {NO_NAME}"),
        ("\x1b[31m", f"'\\x1b[31m' {NO_NAME}"),
        ("tranthor", "a dialect named 'tranthor' is installed: choose another name"),
        ("page", "'page' cannot be a dialect's name: context.page of an event has another meaning"),
    ],
)
def test_a_name_that_cannot_be_used_is_told_in_one_line(name: str, problem: str, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert told(name, "--into", str(folder)) == (1, "", f"Error: {problem}\n")
    assert not folder.exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("mine")
    said = f"Error: {tmp_path} is not empty: name another folder with --into\n"
    assert told("acme", "--into", str(tmp_path)) == (1, "", said)
    assert told("acme", "--into", str(file)) == (1, "", f"Error: {file} is a file: name a folder with --into\n")
    assert (files_of(tmp_path), file.read_text()) == (["pyproject.toml"], "mine")


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("mine")
    link.symlink_to("nowhere")
    for folder, problem in {
        file / "new": f"{file} is a file: name another folder with --into",
        file / "a" / "new": f"{file / 'a' / 'new'} cannot be written: Not a directory",
        link: f"{link} is a link to nothing: name a folder with --into",
    }.items():
        assert told("acme", "--into", str(folder)) == (1, "", f"Error: {problem}\n")
    assert sorted(tmp_path.iterdir()) == [file, link]


def test_nothing_is_left_of_a_dialect_that_the_disk_has_no_room_for(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, size[1]))  # the first file fits
    try:
        for folder in (empty, tmp_path / "new"):
            with pytest.raises(CannotWrite) as raised:
                write("acme", folder, installed=())
            assert str(raised.value) == f"{folder} cannot be written: File too large"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
    assert list(tmp_path.rglob("*")) == [empty]


def test_its_code_is_as_ruff_would_have_it(tmp_path: Path) -> None:
    folder = generated("acme", tmp_path / "acme").folder
    rules = ("--isolated", "--select", "A,ASYNC,B,C4,C90,E,F,I,N,PIE,PT,RET,RUF,SIM,UP,W")
    for command in (("check", *rules), ("format", "--isolated", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_stranger_who_types_what_it_says_has_a_dialect_that_runs(tmp_path: Path) -> None:
    folder = tmp_path / "acme-dialect"
    code, _, err = told("acme", "--into", str(folder))
    assert (code, err) == (0, "")
    acme = installed("acme", folder)
    with serving(tmp_path / "data", env=acme.env) as served:
        [curl] = re.findall(r"curl -i .*/api/acme/v1/events .*", served.greeting)
        [key] = re.findall(r"Bearer (acme_[0-9a-f]{48})'", curl)
        [body] = re.findall(r"-d '(.*)'", curl)
        url = f"{served.url}/api/acme/v1/events"
        for _ in range(2):  # a retry
            answer = requests.post(url, body, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)
            assert (answer.status_code, answer.json()) == (202, {"ok": True, "id": "e-1"})
        [stored] = served.events()
    assert {name: stored[name] for name in ("project", "dialect", "type", "name", "message_id", "user_id")} == {
        "project": "default",
        "dialect": "acme",
        "type": "track",
        "name": "signup",
        "message_id": "e-1",
        "user_id": "u-1",
    }
