"""The files of a track message: their bytes out of the event, what is known of them into its context. Pure."""

import binascii
import hashlib
from collections.abc import Iterable, Mapping

from dialects.tranthor.coerce import text
from gateway.dialect import Fault

_KNOWN = frozenset({"type", "name", "mimeType", "data"})

Unpacked = tuple[list[dict[str, object]], tuple[bytes, ...]]


def unpack(files: Iterable[Mapping[str, object]]) -> Unpacked | Fault:
    """Return what to say of each file, and each one's bytes.

    `name` is the client's word and never a path. Data that is not base64 (upstream never looks) is kept as the text
    that it is, and flagged.
    """
    said: list[dict[str, object]] = []
    blobs: list[bytes] = []
    for index, file in enumerate(files):
        data = text(file["data"]) or ""
        content = _decoded(data)
        valid = content is not None
        if content is None:
            try:
                content = data.encode("utf-8")
            except UnicodeEncodeError:
                return Fault("lone_surrogate", f"/files/{index}/data")
        facts: dict[str, object] = {
            "name": text(file["name"]),
            "mime_type": text(file["mimeType"]),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if not valid:
            facts["valid_base64"] = False
        extra = {key: value for key, value in file.items() if key not in _KNOWN}
        if extra:
            facts["extra"] = extra
        said.append(facts)
        blobs.append(content)
    return said, tuple(blobs)


def _decoded(data: str) -> bytes | None:
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError:
        return None
