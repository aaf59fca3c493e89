"""What is shown of what arrives: events in short, and what was held or rejected in the same form. Pure."""

from collections.abc import Mapping
from typing import Any

import attrs

from gateway.dialect.outcome import Verdict
from gateway.dialect.timestamps import from_millis
from gateway.operate.events.rows import event_row, short
from gateway.operate.held.kept_json import explained

VERDICTS = (Verdict.STORED.value, Verdict.QUARANTINED.value, Verdict.FILTERED.value, Verdict.REJECTED.value)
STORED = VERDICTS[0]


@attrs.frozen(kw_only=True)
class LiveFilter:
    """What one watcher asks for: what meets each condition that is not None.

    What is not stored has no type, no name and no person, so that with such a condition only events are shown.
    """

    project: str | None = None
    dialect: str | None = None
    type: str | None = None
    name: str | None = None
    person: str | None = None
    verdict: str | None = None

    @property
    def of_events(self) -> bool:
        """Whether events can be asked for."""
        return self.verdict in (None, STORED)

    @property
    def of_every_event(self) -> bool:
        """Whether all events are."""
        fields = (self.project, self.dialect, self.type, self.name, self.person)
        return self.of_events and all(each is None for each in fields)

    @property
    def of_held(self) -> bool:
        """Whether what was quarantined, filtered or rejected can be asked for."""
        return self.verdict != STORED and self.type is None and self.name is None and self.person is None

    def asks_for_event(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event is asked for; `of_events` is known to be true."""
        for name in ("project", "dialect", "type", "name"):
            wanted = getattr(self, name)
            if wanted is not None and event.get(name) != wanted:
                return False
        return self.person is None or self.person in (event.get("user_id"), event.get("anonymous_id"))

    def asks_for_held(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row of `held_row` or `rejected_row` is asked for; `of_held` is known to be true."""
        asked = ((self.project, row["project"]), (self.dialect, row["dialect"]), (self.verdict, row["verdict"]))
        return all(wanted in (None, found) for wanted, found in asked)


def stored_row(position: int | str, line: bytes) -> dict[str, Any]:
    """Return an event as it is shown: in short, with the page that has all of it."""
    return {**event_row(position, line), "why": None, "page": f"/events/{position}"}


def held_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `Records.new_quarantined` as it is shown. `why` is the sentence about its first fault."""
    return _row(row, row["verdict"], f"/quarantine/{row['id']}", _why(row), row["message_id"])


def rejected_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `Records.new_rejected` as it is shown."""
    why = f"{row['status']} {row['reason']}"
    sentence = _why(row)
    return _row(row, VERDICTS[3], f"/rejected/{row['id']}", f"{why}: {sentence}" if sentence else why, None)


def _row(row: Mapping[str, Any], verdict: str, page: str, why: str | None, message_id: str | None) -> dict[str, Any]:
    return {
        "position": None,
        "verdict": verdict,
        "received_at": from_millis(row["received_at"]),
        "project": short(row["project"]),
        "dialect": short(row["dialect"]),
        "type": None,
        "name": None,
        "message_id": short(message_id),
        "user_id": None,
        "anonymous_id": None,
        "why": short(why),
        "page": page,
    }


def _why(row: Mapping[str, Any]) -> str | None:
    try:
        faults = explained(row["faults"])
        return str(faults[0]["sentence"]) if faults else None
    except (ValueError, TypeError):
        return None
