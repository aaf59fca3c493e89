"""`gateway backup`, as the command that an operator runs."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from gateway.storage.engines import open_store
from gateway.testing.engine.given.filled import contents, fill
from tests.kit.postgres.cluster import PASSWORD
from tests.kit.serving import place_of, run, serving
from tests.operate.backup.making import new_sqlite

EVENTS = 57


@pytest.fixture
def data(tmp_path: Path) -> Path:
    url = asyncio.run(new_sqlite(tmp_path / "data"))
    asyncio.run(fill(open_store(url)))
    return tmp_path / "data"


def failed(*arguments: str, code: int = 1) -> str:
    """Return the one line of a command that must fail."""
    done = run("backup", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    if code == 1:
        assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("Error: ").rstrip("\n")


def test_a_store_is_backed_up_checked_and_served_again_somewhere_else(data: Path, tmp_path: Path) -> None:
    file, new = tmp_path / "a.tar", tmp_path / "new"
    done = run("backup", "create", "--to", str(file), "--data", str(data), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(done.stdout)
    assert (made["counts"]["events"], made["bytes"], made["source"]) == (EVENTS, file.stat().st_size, str(data))
    assert "rejected" not in made["counts"]
    done = run("backup", "verify", str(file), "--json")
    assert (done.returncode, done.stderr, json.loads(done.stdout)) == (0, "", made)
    *table, told = run("backup", "verify", str(file)).stdout.splitlines()
    rows = {row[0]: row[1] for row in (re.split(r"  +", line.strip()) for line in table) if len(row) == 2}
    assert (rows["events"], rows["quarantine"], rows["counter buckets"], rows["of"]) == (
        str(EVENTS),
        "1",
        str(made["counts"]["counter_buckets"]),
        str(data),
    )
    assert told == f"{file} is whole: {EVENTS} events, {made['bytes']} bytes, digest {made['digest']}"
    done = run("backup", "restore", str(file), "--data", str(new))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        told.replace(f"{file} is whole", f"{new} is restored"),
        f"start the gateway with: gateway serve --data {new}",
    ]
    exported = run("events", "export", "--data", str(data), "--with-position").stdout
    with serving(new) as served:
        assert served.cli("events", "export", "--with-position") == exported
    done = run("backup", "restore", str(file), "--data", str(new))
    assert (done.returncode, done.stdout) == (0, f"{new} was restored before; nothing was changed\n")


def test_a_database_is_backed_up_and_restored_and_no_password_is_printed(
    data: Path, prepared: str, database: str, tmp_path: Path
) -> None:
    asyncio.run(fill(open_store(prepared)))
    file = tmp_path / "a.tar"
    for command in (
        ("create", "--to", str(file), "--storage", prepared),
        ("restore", str(file), "--storage", database),
    ):
        done = run("backup", *command)
        assert (done.returncode, done.stderr, PASSWORD in done.stdout) == (0, "", False)
    assert "put the password back into the URL and start the gateway with: gateway serve --storage" in done.stdout
    assert PASSWORD.encode() not in file.read_bytes()
    before, after = (asyncio.run(contents(open_store(url))) for url in (prepared, database))
    assert after == before | {"rejected": [], "one rejected": []}


def test_what_an_operator_may_get_wrong_is_one_line(data: Path, tmp_path: Path) -> None:
    file, place = tmp_path / "a.tar", place_of(data)
    assert "Missing option '--to'" in failed("create", *place, code=2)
    assert "Missing argument 'FILE'" in failed("verify", code=2)
    assert failed("create", "--to", str(file), "--data", str(tmp_path / "none")).startswith("there is no directory")
    (tmp_path / "empty").mkdir()
    assert "holds no events yet" in failed("create", "--to", str(file), "--data", str(tmp_path / "empty"))
    assert list((tmp_path / "empty").iterdir()) == []
    inside = data / "blobs" / "a.tar"
    told = f"{inside} is in the data directory itself; write the backup to another place"
    assert failed("create", "--to", str(inside), *place) == told
    missing = tmp_path / "no" / "a.tar"
    assert failed("create", "--to", str(missing), *place) == (
        f"there is no directory {missing.parent} to write a.tar into"
    )
    assert failed("verify", str(file)) == f"No such file or directory: {file}"
    assert failed("restore", str(file), "--data", str(tmp_path / "new")) == f"No such file or directory: {file}"
    file.write_bytes(b"precious")
    said = f"{file} exists, and a backup never replaces a file; choose another name"
    assert failed("create", "--to", str(file), *place) == said
    assert failed("verify", str(file)) == f"{file} is no backup, or its beginning is damaged"
    assert (
        failed("restore", str(file), "--data", str(tmp_path / "new"))
        == f"{file} is no backup, or its beginning is damaged"
    )
    assert (file.read_bytes(), (tmp_path / "new").exists()) == (b"precious", False)
    file.unlink()
    assert run("backup", "create", "--to", str(file), *place).returncode == 0
    told = f"{data} is not empty: only a new directory is filled from another store or a backup"
    assert failed("restore", str(file), *place) == told
    assert [each.name for each in tmp_path.iterdir() if ".part" in each.name] == []
