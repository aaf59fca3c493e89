"""Blobs: files named by their content, whole or absent, on disk before the commit that names them."""

import hashlib
from pathlib import Path

import attrs
import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, AppendStatus, Blob
from gateway.storage.sqlite.blobs import Blobs
from gateway.testing.engine.given.entries import body, claim, entry, row
from tests.storage.stores import opened, stored
from tests.storage.test_group_commit import files_no_larger_than


def blob(content: bytes) -> Blob:
    return Blob(hashlib.sha256(content).hexdigest(), content)


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_file_lies_under_its_digest_and_is_not_written_twice(tmp_path: Path) -> None:
    blobs, kept = Blobs(tmp_path / "blobs"), blob(b"content")
    blobs.keep(kept)
    before = blobs.path(kept.name).stat()
    blobs.keep(kept)

    assert blobs.path(kept.name) == tmp_path / "blobs" / kept.name[:2] / kept.name[2:]
    assert blobs.path(kept.name).read_bytes() == b"content"
    assert (blobs.path(kept.name).stat().st_ino, blobs.path(kept.name).stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "ab", "A" * 64, "g" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "/" + "a" * 63]
)
def test_a_name_that_is_not_a_digest_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Blobs(tmp_path).keep(Blob(name, b""))
    assert files(tmp_path) == []


def test_a_name_that_is_the_digest_of_another_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not what its name says"):
        Blobs(tmp_path).keep(Blob(blob(b"this").name, b"that"))
    assert files(tmp_path) == []


def test_half_written_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    blobs, kept = Blobs(tmp_path), blob(b"content")
    blobs.keep(kept)
    (tmp_path / "ab").mkdir(exist_ok=True)
    (tmp_path / "ab" / "cdef.part").write_bytes(b"half")
    blobs.sweep()

    assert files(tmp_path) == [f"{kept.name[:2]}/{kept.name[2:]}"]


async def test_an_entry_and_its_files_are_kept_together(tmp_path: Path) -> None:
    kept = blob(b"screenshot")
    async with opened(tmp_path) as (storage, _):
        await storage.append(attrs.evolve(entry(row(1), idempotency=claim("k")), blobs=(kept,)))
        await storage.append(
            attrs.evolve(entry(row(1), idempotency=claim("k", "that")), blobs=(blob(b"of a conflict"),))
        )

    assert stored(tmp_path) == [body(1)]
    assert files(tmp_path / "blobs") == [f"{kept.name[:2]}/{kept.name[2:]}"]


async def test_an_entry_whose_file_cannot_be_written_is_not_committed(tmp_path: Path) -> None:
    large = attrs.evolve(entry(row(1)), blobs=(blob(b"x" * 1_000_000),))
    async with opened(tmp_path) as (storage, _):
        with files_no_larger_than(200_000), pytest.raises(StorageUnavailable):
            await storage.append(large)
        assert (stored(tmp_path), files(tmp_path / "blobs")) == ([], [])

        assert await storage.append(large) == Appended(AppendStatus.NEW)
        assert len(files(tmp_path / "blobs")) == 1
