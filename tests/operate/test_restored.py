"""An event that is translated again from a redacted request keeps the texts that only the request has lost."""

import json

import pytest

from gateway.operate.events.restored import restored


@pytest.mark.parametrize(
    ("today", "stored", "expected"),
    [
        ({"a": "x"}, {"a": "y"}, {"a": "x"}),
        ({"a": {"key": "[redacted]"}, "b": 1}, {"a": {"key": "Enter"}, "b": 2}, {"a": {"key": "Enter"}, "b": 1}),
        ({"a": ["x [redacted]", "[redacted]"]}, {"a": ["x é"]}, {"a": ["x é", "[redacted]"]}),
        ({"a": "[redacted]", "c": "[redacted]"}, {"b": "x", "c": 5}, {"a": "[redacted]", "c": "[redacted]"}),
    ],
)
def test_what_the_request_has_lost_comes_from_the_stored_event(today: object, stored: object, expected: object) -> None:
    found = restored(json.dumps(today).encode(), json.dumps(stored).encode())
    assert json.loads(found) == expected


def test_a_line_without_anything_redacted_stays_the_same_bytes() -> None:
    assert restored(b'{ "a":1e999 }', b"{}") == b'{ "a":1e999 }'
