"""What the tests of faults send to Tranthor alone: a batch with an item that is quarantined, and a file."""

import base64
import json
from collections.abc import Mapping

from gateway.testing.corpus.message import SentRequest
from tests.faults.traffic import Maker, Sent

APPS = "/api/public/apps"


def kinds(key: str, padding: str) -> list[Maker]:
    """Return what makes request number so-and-so, for each kind of request."""
    shown = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}

    def half_bad(number: int) -> Sent:
        good, bad = f"mark-{number}-0", f"mark-{number}-1"
        nobody = {"type": "track", "messageId": f"id-{bad}", "event": "seen", "properties": {"mark": bad}}
        body = {"batch": [_track(good, padding, {}), nobody]}
        headers = {**shown, "Idempotency-Key": f"key-{number}"}
        request = SentRequest("POST", f"{APPS}/batch", headers, json.dumps(body).encode())
        return Sent("tranthor with a bad item", "tranthor", request, (good,), (bad,), keyed=True)

    def with_file(number: int) -> Sent:
        mark = f"mark-{number}-0"
        data = base64.b64encode(f"file of {mark}".encode()).decode()
        file = {"type": "Base64Encoded", "name": "../../x", "mimeType": "text/plain", "data": data}
        body = _track(mark, padding, {"files": [file]})
        request = SentRequest("POST", f"{APPS}/track", shown, json.dumps(body).encode())
        return Sent("tranthor with a file", "tranthor", request, (mark,))

    return [half_bad, with_file]


def _track(mark: str, padding: str, more: Mapping[str, object]) -> dict[str, object]:
    properties = {"mark": mark, "padding": padding}
    named = {"type": "track", "messageId": f"id-{mark}", "userId": "u", "event": "seen"}
    return {**named, "properties": properties, **more}
