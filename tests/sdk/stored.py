"""What a gateway has stored: events read from its file as anyone may, in a form that can be compared whole."""

import contextlib
import json
import re
import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from gateway.testing.dialect import returns
from tests.sdk.going_back import INSTALLED, files_of

MADE_HERE = "<an id that the gateway made>"
MADE_FROM_KEY = "<an id that the gateway made from an Idempotency-Key>"
MADE_THERE = "<a random UUID of the client's>"
RECEIVED = "<when it arrived>"
CHROMIUM = "<headless Chromium>"

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([478])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MAKERS = {"4": MADE_THERE, "7": MADE_HERE, "8": MADE_FROM_KEY}  # by the UUID's version: random, time-ordered, a digest
PATIENCE = 10.0


class _JustBefore(str):
    """Equals also the moment itself: what was sent may arrive within the same millisecond."""

    def __eq__(self, other: object) -> bool:
        return other == RECEIVED or str.__eq__(self, str(other))

    __hash__ = str.__hash__


JUST_BEFORE = _JustBefore("<within a minute before it arrived>")


def event(dialect: str, type_: str = "track", **fields: object) -> dict[str, Any]:
    """Return a whole canonical event as `Kept` shows it; what is not given is as an event without it has it."""
    return {
        "project": "shop",
        "dialect": dialect,
        "type": type_,
        "name": None,
        "message_id": MADE_HERE,
        "timestamp": RECEIVED,
        "sent_at": None,
        "received_at": RECEIVED,
        "anonymous_id": None,
        "user_id": None,
        "previous_id": None,
        "group_id": None,
        "session_id": None,
        "properties": {},
        "traits": {},
        "context": {},
        **fields,
    }


def comparable(stored: dict[str, Any]) -> dict[str, Any]:
    """Put words in the place of what differs from run to run; all else stays as it is."""
    received = datetime.fromisoformat(stored["received_at"])
    assert abs(datetime.now(received.tzinfo) - received) < timedelta(minutes=5)
    happened = datetime.fromisoformat(stored["timestamp"])
    if stored["timestamp"] == stored["received_at"]:
        stored["timestamp"] = RECEIVED
    elif timedelta(0) <= received - happened < timedelta(minutes=1):
        stored["timestamp"] = JUST_BEFORE
    stored["received_at"] = RECEIVED
    made = UUID.fullmatch(stored["message_id"])
    if made is not None:
        stored["message_id"] = MAKERS[made[1]]
    if "HeadlessChrome/" in stored["context"].get("user_agent", ""):
        stored["context"]["user_agent"] = CHROMIUM
    return stored


def require_that_it_goes_back(event: dict[str, Any], data: Path) -> None:
    """Require that what a dialect emits of an event becomes the same event again, at the vendor that it came from."""
    returns.require(INSTALLED[event["dialect"]], event, files_of(data), "an SDK's request")


@attrs.define
class Kept:
    """The events of one data directory, in the order of their arrival, each shown once; `ids` are those of the last."""

    file: Path
    position: int = 0
    ids: list[str] = attrs.field(factory=list)

    def take(self, count: int) -> list[dict[str, Any]]:
        """Return the next events once there are as many as expected; fewer only after a long wait, more at once."""
        until = time.monotonic() + PATIENCE
        rows = self._rows()
        while len(rows) < count and time.monotonic() < until:
            time.sleep(0.02)
            rows = self._rows()
        if rows:
            self.position = rows[-1][0]
        events = [json.loads(body) for _, body in rows]
        for each in events:
            require_that_it_goes_back(each, self.file.parent)
        self.ids = [each["message_id"] for each in events]
        return [comparable(each) for each in events]

    def rest(self) -> list[dict[str, Any]]:
        """Return what was stored beyond all that was taken."""
        return self.take(0)

    def _rows(self) -> list[tuple[int, str]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as connection:
            query = "SELECT position, body FROM events WHERE position > ? ORDER BY position"
            return connection.execute(query, (self.position,)).fetchall()
