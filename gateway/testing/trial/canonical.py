"""The Failure of an event that the canonical schema does not allow. A gateway puts such an item into the quarantine."""

import json
from collections.abc import Iterable
from typing import NoReturn

from gateway.storage.contract import QuarantinedItem
from gateway.testing.check import fail


def fail_as_uncanonical(what: str, pointer: str, rule: object, dialect: str) -> NoReturn:
    """Raise the Failure of what became such an event: where in it, and what rule it breaks."""
    fail(
        f"{what} became an event that is not canonical: {ascii(pointer or '/')[1:-1]} of the event breaks the rule"
        f" `{rule}` of jsonschemas/canonical/event.json",
        "have `translate` put a value only where its type fits (docs/events.md has the places), and keep another one"
        f" under `context.{dialect}`",
    )


def require_canonical(what: str, quarantined: Iterable[QuarantinedItem], dialect: str) -> None:
    """Raise a Failure if an item was quarantined because its event is not canonical."""
    for item in quarantined:
        for fault in json.loads(item.faults):
            if fault["code"] == "not_canonical":
                fail_as_uncanonical(what, fault["pointer"], fault["detail"].get("rule"), dialect)
