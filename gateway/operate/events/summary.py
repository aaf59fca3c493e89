"""What one line says of an event: when, whose, what and who. Pure."""

import attrs
import orjson


@attrs.frozen
class EventSummary:
    """The facts of an event that a person looks for first; an empty text where there is none.

    `time` is when it was received, to the second: `2026-01-02T03:04:05Z`. `person` is the user's id, or else the
    anonymous one. All but `time` are as clients sent them: whoever shows them escapes them.
    """

    time: str
    project: str
    dialect: str
    type: str
    name: str
    person: str


def summary(line: bytes) -> EventSummary:
    """Return the summary of an event's line. One that is no JSON object has none of the facts."""
    try:
        found = orjson.loads(line)
    except ValueError:
        found = None
    event = found if isinstance(found, dict) else {}

    def text(name: str) -> str:
        value = event.get(name)
        return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()

    time = text("received_at")
    return EventSummary(
        time=f"{time[:19]}Z" if time[19:20] == "." and time.endswith("Z") else time,
        project=text("project"),
        dialect=text("dialect"),
        type=text("type"),
        name=text("name"),
        person=text("user_id") or text("anonymous_id"),
    )
