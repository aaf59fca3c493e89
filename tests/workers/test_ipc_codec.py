"""Messages as bytes and back: every field crosses, whatever the pieces, and anything else is an error of one line."""

import struct
from typing import Any

import attrs
import msgspec
import pytest

from gateway import __version__
from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.storage.contract import (
    Appended,
    AppendStatus,
    Blob,
    Entry,
    EventRow,
    IdempotencyRecord,
    KeptRequest,
    QuarantinedItem,
)
from gateway.workers.ipc_codec import (
    HELLO,
    MAX_FRAME_BYTES,
    SCHEMA_FINGERPRINT,
    Answer,
    Append,
    Escaped,
    Failure,
    FrameError,
    FrameReader,
    FromClient,
    FromServer,
    Health,
    Hello,
    Message,
    encode,
    schema_fingerprint,
    version_mismatch,
)

OUTCOMES = (Outcome(Verdict.STORED, "m"), Outcome(Verdict.REJECTED, "\ud800", (Fault("enum", "/a", {"allowed": [1]}),)))
WHOLE = Entry(
    project="p",
    dialect="d",
    route="r",
    received_at=1,
    rows=(EventRow(b"a", b"k"), EventRow(b"b")),
    quarantined=(QuarantinedItem("m\ud800 \u00e9", b"[]", b"{}"),),
    blobs=(Blob("n", b"\0\xff"),),
    idempotency=IdempotencyRecord(b"1", b"2", OUTCOMES),
    request=KeptRequest(b"\x78\x01", 4, b"\0\xff"),
    resolves=7,
    raw_compressed=b"\x78\x01",
    outcomes=OUTCOMES,
)


def framed(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("entry", [WHOLE, Entry("p", "d", "r", 1, WHOLE.rows)], ids=["no Unicode", "plain"])
def test_every_field_of_entries_and_answers_crosses_whatever_the_pieces(entry: Entry) -> None:
    answers = [Appended(status, (0, 7), OUTCOMES, receipt=5) for status in AppendStatus]
    sent = [
        (FromClient, [HELLO, Append(1, (entry,)), Append(2, (entry, entry))]),
        (
            FromServer,
            [HELLO, Health(True), *[Answer(2, (each, each)) for each in answers], Failure(3, "why \udc80", 7)],
        ),
    ]
    for kind, messages in sent:
        frames = b"".join([encode(each) for each in messages])
        for size in (1, 7, len(frames)):
            reader: FrameReader[Message] = FrameReader(kind)
            pieces = [frames[start : start + size] for start in range(0, len(frames), size)]
            found = [message for piece in pieces for message in reader.feed(piece)]
            assert found == messages
            receipts = [one.receipt for each in found if isinstance(each, Answer) for one in each.appended]
            assert receipts == [5] * (6 if kind is FromServer else 0)  # equality leaves them out


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (struct.pack("<I", MAX_FRAME_BYTES + 1), f"a frame of {MAX_FRAME_BYTES + 1} bytes is too long"),
        (framed(b""), "Input data was truncated"),
        (framed(b"GET / HTTP/1.1\r\n"), "Expected `array`, got `int`"),
        (framed(b"\x92\x63\x01"), "Invalid value 99 - at `$[0]`"),
        (framed(b"\x92\x00\x01"), "Expected `str`, got `int` - at `$[1]`"),
        (framed(b"\x93\x02\x01\x80"), "Expected `array`, got `object` - at `$[2]`"),
        (framed(b"\x93\x02\x01\x91\x80"), "Object missing required field `project` - at `$[2][0]`"),
        (framed(b"\x93\x02\x01\x91\xdf\xff\xff\xff\xff"), "Input data was truncated"),
        (framed(b"\x93\x02\x01\xdd\xff\xff\xff\xff"), "Expected `array` of length <= 1024 - at `$[2]`"),
        (encode(Append(1, (WHOLE,) * 1025)), "Expected `array` of length <= 1024 - at `$[2]`"),
        (encode(Append((1 << 62) + 1, ())), "Expected `int` <= 4611686018427387904 - at `$[1]`"),
        (encode(Append(-1, ())), "Expected `int` >= 0 - at `$[1]`"),
        (framed(b"\x92\x00\xa1\xff"), "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (encode(Health(True)), "Invalid value 1 - at `$[0]`"),
        (encode(Escaped(b"\xd4\x07a")), "unknown extension type 7"),
        (encode(Escaped(b"\xd4\x00\xff")), "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (encode(Escaped(b"\x91" * 100_000)), "maximum recursion depth exceeded while deserializing an object"),
        (encode(Escaped(encode(Escaped(b""))[4:])), "Invalid value 5 - at `$[0]`"),
    ],
)
def test_anything_that_is_not_a_message_is_one_error(sent: bytes, problem: str) -> None:
    with pytest.raises(FrameError) as caught:
        FrameReader[FromClient](FromClient).feed(sent)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rows": (EventRow(object()),)}, "Encoding objects of type object is unsupported"),  # type: ignore[arg-type]
        ({"received_at": 1 << 64}, "can't serialize ints < -2**63 or > 2**64 - 1"),
        ({"received_at": 1 << 64, "project": "\ud800"}, "can't serialize ints < -2**63 or > 2**64 - 1"),
    ],
)
def test_what_cannot_be_sent_is_an_error_of_its_sender(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent") as caught:
        encode(Append(1, (attrs.evolve(WHOLE, **change),)))
    assert str(caught.value) == f"cannot be sent to another process: {problem}"


def test_a_fingerprint_changes_with_any_field_however_deep() -> None:
    def entry(kind: type) -> type:
        row = attrs.make_class("Row", {"key": attrs.field(type=kind)})
        return attrs.make_class("Entry", {"rows": attrs.field(type=tuple[row, ...])})  # type: ignore[valid-type]

    prints = {schema_fingerprint(entry(kind)) for kind in (str, bytes, int)}
    assert len(prints) == 3
    assert schema_fingerprint(entry(str)) in prints
    assert {each.rpartition(" ")[0] for each in prints} == {SCHEMA_FINGERPRINT.rpartition(" ")[0]}
    assert SCHEMA_FINGERPRINT.startswith(f"{__version__} python3.")


def test_a_field_of_any_type_crosses_as_what_json_has() -> None:
    facts = {"allowed": ["a", 1, None, 2.5], "branches": [[{"code": "x"}]], "text": "\udc80"}
    fault = Fault("enum", "/\ud800", facts)
    for outcome in (Outcome(Verdict.QUARANTINED, "m", (fault,)), Outcome(Verdict.STORED, "m")):
        assert FrameReader[Judged](Judged).feed(encode(Judged((outcome,)))) == [Judged((outcome,))]
    assert schema_fingerprint(Judged) != schema_fingerprint(Hello)


class Judged(Message, tag=100):
    """A message with values of any type in it."""

    outcomes: tuple[Outcome, ...]


def test_a_field_of_a_type_that_cannot_be_sent_is_noticed_at_import() -> None:
    with pytest.raises(TypeError, match="is not supported"):
        schema_fingerprint(attrs.make_class("Entry", {"storage": attrs.field(type=struct.Struct)}))


def test_a_mismatch_is_told_in_one_line_of_bounded_length() -> None:
    assert version_mismatch(SCHEMA_FINGERPRINT) is None
    shown = repr("9\n" * 40)
    assert version_mismatch("9\n" * 1000) == f"another version ({shown}, and this is {SCHEMA_FINGERPRINT!r})"


def test_hello_stays_readable_for_every_version() -> None:
    assert encode(Hello("a")) == b"\x04\x00\x00\x00\x92\x00\xa1a"
    assert msgspec.msgpack.decode(encode(HELLO)[4:]) == [0, SCHEMA_FINGERPRINT]
