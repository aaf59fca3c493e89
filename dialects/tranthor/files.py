"""The files of a track message: their bytes leave the event, and facts about them go into its context. Pure."""

import binascii
import hashlib
from collections.abc import Iterable

from dialects.tranthor.wire import Fields, SentFile
from gateway.dialect import Fault

Unpacked = tuple[list[dict[str, object]], tuple[bytes, ...]]
"""Of each file, in their order: the facts (`{"name", "mime_type", "size", "sha256", ...}`), and the bytes."""


def unpack(files: Iterable[Fields]) -> Unpacked | Fault:
    """Return the files of a message; or a fault if one's bytes cannot be stored.

    `name` is whatever the client sent: it must never be used as a path. Upstream never decodes the data, so what is
    not base64 is kept as UTF-8 text, with `valid_base64: false`. A lone surrogate has no UTF-8 and is the fault.
    """
    facts: list[dict[str, object]] = []
    contents: list[bytes] = []
    for index, each in enumerate(files):
        file = SentFile.read(each)
        decoded = _decoded(file.data)
        try:
            content = file.data.encode("utf-8") if decoded is None else decoded
        except UnicodeEncodeError:
            return Fault("lone_surrogate", f"/files/{index}/data")
        about: dict[str, object] = {
            "name": file.name,
            "mime_type": file.mime_type,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if decoded is None:
            about["valid_base64"] = False
        if file.extra:
            about["extra"] = file.extra
        facts.append(about)
        contents.append(content)
    return facts, tuple(contents)


def _decoded(data: str) -> bytes | None:
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError:
        return None
