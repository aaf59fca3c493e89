"""A certificate and its key, as files: what is wrong with them, and that they are read again when they change."""

import asyncio
import logging
import os
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.http.listening.certificate import BadCertificate, Certificate, seen
from tests.kit.certificates import Pair, certificate, openssl

SOON = 10.0


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    folder = tmp_path_factory.mktemp("pairs")
    return certificate(folder, "one"), certificate(folder, "two")


def spoilt(folder: Path, pair: Pair, other: Pair) -> list[tuple[Path, Path, str]]:
    """Return pairs of files that cannot be used, and what is said of each."""
    text, empty, missing, encrypted = (folder / name for name in ("text", "empty", "missing", "encrypted"))
    text.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    empty.write_bytes(b"")
    os.mkfifo(folder / "fifo")
    openssl("pkey", "-in", str(pair.key), "-aes128", "-passout", "pass:x", "-out", str(encrypted))
    cert, key = pair.certificate, pair.key
    return [
        (missing, key, f"TLS: cannot read {missing}: No such file or directory"),
        (cert, missing, f"TLS: cannot read {missing}: No such file or directory"),
        (cert, folder, f"TLS: cannot read {folder}: Is a directory"),
        (cert, folder / "fifo", f"TLS: {folder / 'fifo'} is not a regular file"),
        (text, key, f"TLS: {text} holds no certificate (PEM)"),
        (empty, key, f"TLS: {empty} holds no certificate (PEM)"),
        (key, key, f"TLS: {key} holds no certificate (PEM)"),
        (cert, empty, f"TLS: {empty} holds no private key (PEM)"),
        (cert, text, f"TLS: {text} holds no private key (PEM)"),
        (cert, cert, f"TLS: {cert} holds no private key (PEM)"),
        (cert, other.key, f"TLS: the key {other.key} is not that of the certificate {cert}"),
        (cert, encrypted, f"TLS: the key {encrypted} is encrypted; write it without a passphrase"),
    ]


def test_what_is_wrong_with_a_certificate_or_its_key_is_told_in_one_line(
    tmp_path: Path, pairs: tuple[Pair, Pair]
) -> None:
    for files in (wrong := spoilt(tmp_path, *pairs)):
        with pytest.raises(BadCertificate) as raised:
            Certificate(*files[:2])
        assert str(raised.value) == files[2]
    assert len(wrong) == 12
    assert Certificate(pairs[0].certificate, pairs[0].key).context.minimum_version is ssl.TLSVersion.TLSv1_2


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - it is looked at now and then
            await asyncio.sleep(0.01)


async def test_a_pair_that_changes_is_read_again_and_a_broken_one_is_told_once_while_the_old_one_stays(
    tmp_path: Path, pairs: tuple[Pair, Pair], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for source, target in ((pairs[0].certificate, cert), (pairs[0].key, key)):
        shutil.copy(source, target)
    followed = Certificate(cert, key)
    task = asyncio.create_task(followed.follow(0.02))
    first = followed.context
    shutil.copy(pairs[1].certificate, cert)
    await until(lambda: len(caplog.messages) == 1)
    assert followed.context is first
    shutil.copy(pairs[1].key, key)
    await until(lambda: followed.context is not first)
    second = followed.context
    cert.unlink()
    await until(lambda: len(caplog.messages) == 3)
    await asyncio.sleep(0.2)
    assert followed.context is second
    (tmp_path / "elsewhere.pem").write_bytes(pairs[1].certificate.read_bytes())
    cert.symlink_to(tmp_path / "elsewhere.pem")
    await until(lambda: followed.context is not second)
    task.cancel()
    stays = "; the certificate that was read before stays"
    assert caplog.messages == [
        f"TLS: the key {key} is not that of the certificate {cert}{stays}",
        f"read {cert} and its key anew",
        f"TLS: cannot read {cert}: No such file or directory{stays}",
        f"read {cert} and its key anew",
    ]


async def test_a_pair_that_could_not_be_used_is_tried_again_also_where_its_files_look_the_same(
    tmp_path: Path, pairs: tuple[Pair, Pair], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(pairs[0].certificate, cert)
    shutil.copy(pairs[0].key, key)
    followed = Certificate(cert, key)
    first, task = followed.context, asyncio.create_task(followed.follow(0.02))
    shutil.copy(pairs[1].certificate, cert)
    await until(lambda: len(caplog.messages) == 1)
    looks = seen(cert, key)
    other = pairs[1].key.read_bytes()
    assert len(other) == key.stat().st_size
    key.write_bytes(other)
    os.utime(key, ns=(0, looks[1][1]))
    assert seen(cert, key) == looks
    await until(lambda: followed.context is not first)
    task.cancel()
    assert caplog.messages[-1] == f"read {cert} and its key anew"
