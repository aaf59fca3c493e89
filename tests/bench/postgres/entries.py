"""The entries that storage.append is measured with: those that the gateway makes of the scenarios' requests. Pure."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator

import attrs

from gateway.storage.contract import Entry, EventRow

SLOT = "@" * 12
EVENT = {
    "project": "bench",
    "dialect": "databuddy",
    "type": "track",
    "name": "checkout_completed",
    "message_id": f"c209629f-6fbe-4d82-ac07-{SLOT}",
    "timestamp": "2026-01-02T03:04:05.678Z",
    "sent_at": None,
    "received_at": "2026-01-02T03:04:06.000Z",
    "anonymous_id": "anon_9b2f6c1e-7f43-4c55-9d0a-0e6b1e1d7a11",
    "user_id": None,
    "previous_id": None,
    "group_id": None,
    "session_id": "sess_1c9a7e52-3f0b-4f0e-8a57-5d1b9c64f002",
    "properties": {
        "order_id": "ord_20260102_000123",
        "total": 149.95,
        "currency": "EUR",
        "items": 3,
        "coupon": "WINTER",
        "shipping": {"method": "express", "days": 2, "free": False},
        "tags": ["returning", "newsletter"],
        "page": "https://shop.example.com/checkout/complete",
    },
    "traits": {},
    "context": {"databuddy": {"namespace": "shop", "source": "backend"}},
}
LINE = json.dumps(EVENT, separators=(",", ":")).encode().split(SLOT.encode())


@attrs.frozen
class Load:
    """So many callers, each of which appends the next entry once its last one is stored; `items` events in each."""

    name: str
    callers: int
    items: int


SINGLE = Load("one event", 64, 1)
LOADS = (SINGLE, Load("batches of 100", 32, 100))


def entries(items: int, first: int, clock: Callable[[], float]) -> Iterator[Entry]:
    """Yield entries of so many events each, with ids of their own from `first` on."""
    numbers = itertools.count(first)
    while True:
        rows = tuple([_row(number) for number in itertools.islice(numbers, items)])
        yield Entry(project="bench", dialect="databuddy", route="track", received_at=int(clock() * 1000), rows=rows)


def _row(number: int) -> EventRow:
    return EventRow(body=b"".join([LINE[0], b"%012d" % number, LINE[1]]), key=key(number))


def key(number: int) -> bytes:
    """Return the dedupe key of an event: like the gateway's, evenly spread."""
    return hashlib.blake2b(b"%d" % number, digest_size=16).digest()
