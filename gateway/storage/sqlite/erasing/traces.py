"""What else holds something of a person: receipts, idempotency keys, kept requests, the quarantine. Synchronous.

Each function yields what a step of the erasure is to change; nothing is written here. The ids of erased messages are
known by their hashes, so that it can go on where a killed erasure was.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import attrs

from gateway.records.person import Person
from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.erasing.eraser import PayloadOf
from gateway.storage.erasing.hashes import message_hash
from gateway.storage.erasing.step import HeldChange
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.outcomes_json import LETTERS, decode_outcomes, decode_receipt
from gateway.storage.quarantined_items import StoredItem, decode_items, encode_some
from gateway.storage.sqlite.read.reader import Reader

RECEIPTS = (
    "SELECT r.id, s.dialect, r.outcomes FROM receipts r JOIN streams s ON s.id = r.stream "
    "WHERE r.id > ?1 AND r.id <= ?2 AND s.project = ?3 AND r.outcomes IS NOT NULL ORDER BY r.id LIMIT 2000"
)
CLAIMS = (
    "SELECT c.digest, c.memory, s.dialect FROM claims_{} c JOIN receipts r ON r.id = c.receipt "
    "JOIN streams s ON s.id = r.stream WHERE c.digest > ?1 AND c.receipt <= ?2 AND s.project = ?3 "
    "ORDER BY c.digest LIMIT 2000"
)
RAWS = (
    "SELECT w.receipt, w.packed FROM raws w JOIN receipts r ON r.id = w.receipt JOIN streams s ON s.id = r.stream "
    "WHERE w.receipt > ?1 AND w.receipt <= ?2 AND s.project = ?3 ORDER BY w.receipt LIMIT 100"
)
HELD = (
    "SELECT id, received_at, dialect, route, receipt, items, request FROM quarantined_requests "
    "WHERE id > ?1 AND id <= ?2 AND project = ?3 ORDER BY id LIMIT 20"
)
SETTLED = "SELECT id FROM settled WHERE id BETWEEN ? AND ?"
MESSAGES = "SELECT hash FROM erased_messages WHERE project = ? AND hash > ? ORDER BY hash LIMIT 20000"


@attrs.frozen
class Traces:
    """The search for one person, up to the receipt and the quarantined item that were the last as it began.

    `erased` are hashes of messages: those of the person's events and items, by which receipts are known.
    `answered` are the receipts of the person's events.
    """

    reader: Reader
    person: Person
    secret: bytes
    last_receipt: int
    last_item: int
    payload_of: PayloadOf
    erased: set[bytes] = attrs.field(factory=set)
    answered: set[int] = attrs.field(factory=set)

    def read_messages(self) -> None:
        """Read the hashes of the project's erased messages."""
        after = b""
        while page := self.reader.query(MESSAGES, self.person.project, after):
            self.erased.update([hashed for (hashed,) in page])
            after = page[-1][0]

    def receipts(self) -> Iterator[tuple[int, bytes]]:
        """Yield receipts with an id of the person's, and what they say without it."""
        after = 0
        while page := self.reader.query(RECEIPTS, after, self.last_receipt, self.person.project):
            for after, dialect, outcomes in page:
                items = decode_receipt(outcomes)
                touched = [item for item in items if self._is_touched(dialect, item)]
                for item in touched:
                    item.pop("message_id", None)
                    item.pop("faults", None)
                if touched:
                    yield after, zlib.compress(json.dumps(items, separators=(",", ":")).encode())

    def claims(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is kept beside idempotency keys with an id of the person's: only the verdicts are left of it."""
        for generation in ("current", "previous"):
            statement, after = CLAIMS.format(generation), b""
            while page := self.reader.query(statement, after, self.last_receipt, self.person.project):
                for after, memory, dialect in page:
                    outcomes = decode_outcomes(memory)
                    if any(
                        self._is_touched(dialect, {"message_id": each.message_id, "faults": _text(each.faults)})
                        for each in outcomes
                        if each.message_id
                    ):
                        letters = "".join([LETTERS[each.verdict] for each in outcomes])
                        yield after, zlib.compress(json.dumps(letters).encode())

    def raws(self) -> Iterator[int]:
        """Yield the receipts whose kept request has the id, or had an event of the person's."""
        after = 0
        while page := self.reader.query(RAWS, after, self.last_receipt, self.person.project):
            for after, packed in page:
                if after in self.answered or self._has_id(decompress(packed)):
                    yield after

    def held(self) -> Iterator[HeldChange]:
        """Yield the requests in quarantine that have the id. Items of others stay, with a payload of their own."""
        after = 0
        while page := self.reader.query(HELD, after, self.last_item, self.person.project):
            for first, received_at, dialect, route, receipt, items, packed in page:
                after = first
                stored = decode_items(items, first)
                raw = None if packed is None else decompress(packed)
                if not (raw is not None and self._has_id(raw)) and not self.person.found_in(_all(stored)):
                    continue
                record = partial(
                    QuarantineRecord.of,
                    received_at=received_at,
                    project=self.person.project,
                    dialect=dialect,
                    route=route,
                    receipt=receipt,
                    raw=raw,
                )
                yield self._change(first, dialect, stored, record, has_request=raw is not None)

    def _change(
        self, first: int, dialect: str, stored: list[StoredItem], record: "Recorder", *, has_request: bool
    ) -> HeldChange:
        ended = {number for (number,) in self.reader.query(SETTLED, first, stored[-1].number)}
        stays: list[StoredItem] = []
        gone: list[int] = []
        messages: list[bytes] = []
        for item in stored:
            payload: bytes | None = item.payload.encode()
            if not payload and has_request:  # else there never was room for it, and its own texts are all there is
                payload = self.payload_of(record(item))
            if payload is None or self.person.found_in(b"\0".join((payload, _all([item])))):
                gone += [] if item.number in ended else [item.number]
                if item.message_id:
                    messages.append(message_hash(self.secret, self.person.project, dialect, item.message_id))
            else:
                stays.append(attrs.evolve(item, payload=payload.decode("utf-8", "replace")))
        self.erased.update(messages)
        return HeldChange(first, encode_some(stays, first), tuple(gone), tuple(messages))

    def _is_touched(self, dialect: str, item: dict[str, object]) -> bool:
        message_id = item.get("message_id")
        if isinstance(message_id, str):
            if message_hash(self.secret, self.person.project, dialect, message_id) in self.erased:
                return True
            if self.person.found_in(message_id.encode("utf-8", "surrogatepass")):
                return True
        return "faults" in item and self.person.found_in(json.dumps(item["faults"]).encode())

    def _has_id(self, raw: RawRequest) -> bool:
        parts = (raw.path.encode("utf-8", "surrogatepass"), raw.query, raw.headers, raw.body)
        return any(self.person.found_in(each) for each in parts)


Recorder = Callable[[StoredItem], QuarantineRecord]


def _all(items: list[StoredItem]) -> bytes:
    """Return all texts of items, for a search."""
    return "\0".join([part for item in items for part in (item.message_id, item.faults, item.payload)]).encode(
        "utf-8", "surrogatepass"
    )


def _text(faults: object) -> str:
    return repr(faults)
