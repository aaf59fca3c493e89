"""Requests of all four dialects in which every item bears a mark of its own. No IO here."""

import base64
import re
from collections.abc import Callable, Mapping

import attrs

from tests.faults.wire import request

MARK = re.compile(r"mark-[0-9]+-[0-9]+")
PADDING = "x" * 400
STARTED = 1767323045678
Keys = Mapping[str, str]
_GIVEN = re.compile(r"^(\w+) \((\w+): (\S+)\)$", re.MULTILINE)


@attrs.frozen
class Sent:
    """One request. `marks` are of its events, `held` of its items that get quarantined.

    `safe` says that it may be sent again: it carries ids or an Idempotency-Key, `keyed` that the latter.
    """

    kind: str
    raw: bytes
    marks: tuple[str, ...]
    quarantined: tuple[str, ...] = ()
    safe: bool = True
    keyed: bool = False


def keys_of(greeting: str) -> Keys:
    """Return the credential that a first start gives for each dialect."""
    return {title.lower(): value for title, _kind, value in _GIVEN.findall(greeting)}


def marks_in(text: str) -> list[str]:
    """Return the marks in a text, in its order."""
    return MARK.findall(text)


@attrs.frozen
class Maker:
    """Makes request number so-and-so, one method for each kind; items bear a padding."""

    keys: Keys
    padding: str

    def databuddy_single(self, number: int) -> Sent:
        mark = f"mark-{number}-0"
        body = {"name": "seen", "eventId": f"id-{number}", "properties": self._properties(mark)}
        return Sent("databuddy /track", request("/track", body, self._bearer("databuddy")), (mark,))

    def databuddy_batch(self, number: int) -> Sent:
        marks = tuple(f"mark-{number}-{index}" for index in range(5))
        body: list[dict[str, object]] = [
            {"type": "custom", "name": "seen", "eventId": f"id-{mark}", "properties": self._properties(mark)}
            for mark in marks
        ]
        body.append(body[0])  # twice in one batch is once
        return Sent("databuddy /batch", request("/batch", body, self._bearer("databuddy")), marks)

    def appizer_single(self, number: int) -> Sent:
        mark = f"mark-{number}-0"
        body = {"event_name": "seen", "user_id": "u", "properties": self._properties(mark)}
        headers = {**self._bearer("appizer"), "Idempotency-Key": f"key-{number}"}
        return Sent("appizer /v1/events", request("/v1/events", body, headers), (mark,), keyed=True)

    def appizer_once(self, number: int) -> Sent:
        mark = f"mark-{number}-0"
        body = {"event_name": "seen", "user_id": "u", "properties": self._properties(mark)}
        return Sent("appizer without a key", request("/v1/events", body, self._bearer("appizer")), (mark,), safe=False)

    def appizer_batch(self, number: int) -> Sent:
        marks = tuple(f"mark-{number}-{index}" for index in range(5))
        events = [{"event_name": "seen", "user_id": "u", "properties": self._properties(mark)} for mark in marks]
        headers = {**self._bearer("appizer"), "Idempotency-Key": f"key-{number}"}
        return Sent("appizer batch", request("/v1/events/batch", {"events": events}, headers), marks, keyed=True)

    def tranthor_batch(self, number: int) -> Sent:
        marks = tuple(f"mark-{number}-{index}" for index in range(5))
        batch = [_track(mark, {"properties": self._properties(mark)}) for mark in marks]
        return Sent("tranthor batch", request("/api/public/apps/batch", {"batch": batch}, self._basic()), marks)

    def tranthor_half_bad(self, number: int) -> Sent:
        good, bad = f"mark-{number}-0", f"mark-{number}-1"
        nobody = {"type": "track", "messageId": f"id-{bad}", "event": "seen", "properties": {"mark": bad}}
        batch = [_track(good, {"properties": self._properties(good)}), nobody]
        headers = {**self._basic(), "Idempotency-Key": f"key-{number}"}
        raw = request("/api/public/apps/batch", {"batch": batch}, headers)
        return Sent("tranthor with a bad item", raw, (good,), (bad,), keyed=True)

    def tranthor_file(self, number: int) -> Sent:
        mark = f"mark-{number}-0"
        data = base64.b64encode(f"file of {mark}".encode()).decode()
        file = {"type": "Base64Encoded", "name": "../../x", "mimeType": "text/plain", "data": data}
        body = _track(mark, {"properties": self._properties(mark), "files": [file]})
        return Sent("tranthor with a file", request("/api/public/apps/track", body, self._basic()), (mark,))

    def browsee_single(self, number: int) -> Sent:
        mark = f"mark-{number}-0"
        body = {"apiKey": self.keys["browsee"], "event": "seen", "userId": "u", "properties": self._properties(mark)}
        raw = request("/api/v1/track", body, {"Idempotency-Key": f"key-{number}"})
        return Sent("browsee /api/v1/track", raw, (mark,), keyed=True)

    def _properties(self, mark: str) -> dict[str, object]:
        return {"mark": mark, "padding": self.padding}

    def _bearer(self, dialect: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[dialect]}"}

    def _basic(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self.keys['tranthor']}"}


def kinds(keys: Keys, size: int = 1) -> tuple[Callable[[int], Sent], ...]:
    """Return what makes request number so-and-so, for each kind of request; items are `size` paddings large."""
    make = Maker(keys, PADDING * size)
    return (
        make.databuddy_single,
        make.databuddy_batch,
        make.appizer_single,
        make.appizer_once,
        make.appizer_batch,
        make.tranthor_batch,
        make.tranthor_half_bad,
        make.tranthor_file,
        make.browsee_single,
    )


def _track(mark: str, more: Mapping[str, object]) -> dict[str, object]:
    return {"type": "track", "messageId": f"id-{mark}", "userId": "u", "event": "seen", **more}
