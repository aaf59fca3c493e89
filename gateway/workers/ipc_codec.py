"""The messages between the process that holds the log and those that send it entries, as bytes and back. No sockets.

A frame is the length of its body (four bytes, little-endian) and the body: one message in MessagePack, an array that
begins with the message's number. The classes in a message are maps of their fields by name, enums their values.

| number | message | from | meaning |
|---|---|---|---|
| 0 | Hello(fingerprint) | both | the first message each way; the client sends it once it has the server's |
| 1 | Health(healthy) | server | whether an append can be expected to succeed: after Hello, and at each change |
| 2 | Append(number, entries) | client | entries to append; the first has that number, the others those after it |
| 3 | Answer(number, appended) | server | as many entries, from that number on, are on disk |
| 4 | Failure(number, why, retry_after) | server | one entry is not; `retry_after` in seconds, None: it is at fault |
| 6 | Erase(number, step) | client | one step of an erasure |
| 7 | Erased(number, result) | server | it is on disk; else Failure |
| 5 | Escaped(body) | both | any other message that holds text which is not valid Unicode |

The fields come from the classes themselves: a new field of Entry needs no change here. Sides whose SCHEMA_FINGERPRINT
differ exchange nothing but Hello, so Hello must stay readable for every later version.
"""

import hashlib
import struct
import sys
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta
from msgspec.msgpack import Decoder, Encoder, Ext

from gateway import __version__
from gateway.storage.contract import Appended, Entry
from gateway.storage.erasing.step import ErasureStep, StepResult

MAX_FRAME_BYTES = 512 << 20
MAX_ENTRIES = 1024  # of one message, which is handled in one turn of the loop; the outbox sends far fewer
MAX_NUMBER = 1 << 62  # so that the numbers after it can be sent too
MAX_FINGERPRINT = 80  # characters of the other side's that are shown
_LENGTH = struct.Struct("<I")
_SURROGATES = 0  # the extension type of a text with lone surrogates, as UTF-8 with surrogatepass


class Message(msgspec.Struct, array_like=True, gc=False):
    """What all messages have in common."""


class Hello(Message, tag=0):
    """What one side takes a message to be."""

    fingerprint: str


class Health(Message, tag=1):
    """How the store is."""

    healthy: bool


class Append(Message, tag=2):
    """Entries to append, each for itself."""

    number: Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
    entries: Annotated[tuple[Entry, ...], Meta(max_length=MAX_ENTRIES)]


class Answer(Message, tag=3):
    """The answers to entries that are on disk."""

    number: int
    appended: tuple[Appended, ...]


class Failure(Message, tag=4):
    """Why an entry is not on disk."""

    number: int
    why: str
    retry_after: int | None


class Escaped(Message, tag=5):
    """Another message: `body` is its MessagePack, with extension type 0 in the place of a text with lone surrogates."""

    body: bytes


class Erase(Message, tag=6):
    """One step of an erasure."""

    number: Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
    step: ErasureStep


class Erased(Message, tag=7):
    """What it did."""

    number: int
    result: StepResult


FromClient = Hello | Append | Erase
FromServer = Hello | Health | Answer | Failure | Erased
T = TypeVar("T", bound=Message)
_encoder = Encoder()


class FrameError(ValueError):
    """Bytes that are not a frame with an expected message."""


def encode(message: Message) -> bytes:
    """Return a message as a frame. Raises ValueError on what cannot be sent."""
    try:
        body = _packed(message)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"cannot be sent to another process: {error}") from error
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"{len(body)} bytes are too many to send to another process")
    return _LENGTH.pack(len(body)) + body


def _packed(message: Message) -> bytes:
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:  # rare: the client's id of an item that is not fit to store
        escaped = _escape(msgspec.to_builtins(message, builtin_types=(bytes,)))
        return _encoder.encode(Escaped(_encoder.encode(escaped)))


class FrameReader(Generic[T]):
    """Cuts what a socket gives into messages; `kind` is the union of those that may come, FromClient or FromServer."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._decode: Callable[[memoryview], Any] = Decoder(kind | Escaped).decode
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[T]:
        """Return the messages that these bytes complete. Raises FrameError on anything else."""
        rest = self._rest
        if not rest:  # most often a read ends where a frame does
            messages, start = self._cut(data)
            rest += data[start:]
            return messages
        rest += data
        messages, start = self._cut(rest)
        del rest[:start]
        return messages

    def _cut(self, data: bytes | bytearray) -> tuple[list[T], int]:
        """Return the messages at the beginning of the data, and where they end."""
        messages: list[T] = []
        start, end = 0, len(data)
        with memoryview(data) as view:
            while end - start >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(view, start)
                if length > MAX_FRAME_BYTES:
                    raise FrameError(f"a frame of {length} bytes is too long")
                stop = start + _LENGTH.size + length
                if stop > end:
                    break
                try:
                    message = self._decode(view[start + _LENGTH.size : stop])
                    if type(message) is Escaped:
                        message = msgspec.convert(msgspec.msgpack.decode(message.body, ext_hook=_text), self._kind)
                except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                    raise FrameError(str(error)) from error
                messages.append(message)
                start = stop
        return messages, start


def _escape(value: Any) -> Any:
    """Return built-in values with each text that has lone surrogates as an extension."""
    if isinstance(value, str):
        raw = value.encode("utf-8", "surrogatepass")
        return Ext(_SURROGATES, raw) if raw.decode("utf-8", "replace") != value else value
    if isinstance(value, dict):
        return {name: _escape(each) for name, each in value.items()}
    return [_escape(each) for each in value] if isinstance(value, list | tuple) else value


def _text(kind: int, raw: memoryview) -> str:
    if kind != _SURROGATES:
        raise ValueError(f"unknown extension type {kind}")
    return bytes(raw).decode("utf-8", "surrogatepass")


def schema_fingerprint(*kinds: Any) -> str:
    """Return what two processes compare: the version, Python's, and a digest of the types and all types in them.

        0.2.0 python3.11 5c1d0a6f7e2b9384

    Raises TypeError on a field of a type that cannot be sent.
    """
    fields = msgspec.json.schema_components(kinds, schema_hook=_any_schema)
    schema = msgspec.json.encode(fields, order="sorted")
    version = f"{__version__} python{sys.version_info.major}.{sys.version_info.minor}"
    return f"{version} {hashlib.blake2b(schema, digest_size=8).hexdigest()}"


def _any_schema(kind: type) -> dict[str, Any]:
    """Return the schema of `object`, which stands for any value that MessagePack has."""
    if kind is not object:
        raise NotImplementedError  # how msgspec wants to hear that a type is not known here either
    return {"title": "any"}  # not empty: msgspec takes that for no answer


def version_mismatch(fingerprint: str) -> str | None:
    """Return what is wrong with the other side's fingerprint, None when it is this one's."""
    if fingerprint == SCHEMA_FINGERPRINT:
        return None
    return f"another version ({fingerprint[:MAX_FINGERPRINT]!a}, and this is {SCHEMA_FINGERPRINT!a})"


SCHEMA_FINGERPRINT = schema_fingerprint(FromClient, FromServer)
HELLO = Hello(SCHEMA_FINGERPRINT)
