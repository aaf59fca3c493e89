"""Events of a person that is erased, and of others."""

import hashlib
import json

from gateway.records.person import Person
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Blob, Entry, EventRow
from gateway.storage.erasing.eraser import ErasureReport
from gateway.storage.held.record import QuarantineRecord
from gateway.testing.engine.given.entries import key

START = 1_700_000_000_000
AT = START + 60_000
ANN = Person(project="shop", kind="user_id", id="ann@example.org")
NOTHING = ErasureReport()


def line(name: str, project: str = "shop", time: str = "2023-11-14T22:13:20.000Z", **fields: object) -> bytes:
    """Return the line of an event."""
    event = {"project": project, "dialect": "toy", "type": "track", "name": name, "message_id": f"id-{name}"}
    return json.dumps({**event, "timestamp": time, "received_at": time, **fields}, separators=(",", ":")).encode()


def row(name: str, **fields: object) -> EventRow:
    """Return a row whose client named it."""
    # What `line` takes by name are texts, and a test's own fields are anything.
    return EventRow(line(name, **fields), key(name))  # type: ignore[arg-type]


def entry(*rows: EventRow, project: str = "shop", **more: object) -> Entry:
    """Return an entry of its time, in project shop."""
    # Each further field of an Entry has its own type.
    return Entry(project, "toy", "track", START, rows, **more)  # type: ignore[arg-type]


def hers(name: str, **fields: object) -> EventRow:
    """Return an event of the person that is erased."""
    return row(name, user_id="ann@example.org", properties={"secret": f"note of {name}"}, **fields)


def other(name: str, **fields: object) -> EventRow:
    """Return an event of somebody else."""
    return row(name, user_id="bob", **fields)


def raw(*parts: object) -> RawRequest:
    """Return a request with these parts."""
    return RawRequest("POST", "/t", b"{}", b"{}", json.dumps(parts).encode())


def blob(content: bytes) -> Blob:
    """Return a file."""
    return Blob(hashlib.sha256(content).hexdigest(), content)


def no_payload(_: QuarantineRecord) -> bytes | None:
    """Return nothing: where payloads do not matter."""
    return None
