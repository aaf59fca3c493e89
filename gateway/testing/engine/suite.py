"""All checks of an engine, in their order: the only place that lists the families."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from gateway.testing.check import Check
from gateway.testing.engine.log import append, filters, following, idempotency, reading
from gateway.testing.engine.promise import Family
from gateway.testing.engine.records import (
    arrivals,
    counters,
    event_receipts,
    groups,
    kept_requests,
    quarantine,
    quarantine_size,
    receipts,
    rejected,
    uses,
)
from gateway.testing.engine.under_test import EngineUnderTest
from gateway.testing.engine.upkeep import backups, credentials, erasing, key_changes, keys_at_once, kill, moving

FAMILIES: tuple[Family[Any], ...] = (
    *(append.FAMILY, idempotency.FAMILY, reading.FAMILY, filters.FAMILY, following.FAMILY),
    *(quarantine.FAMILY, quarantine_size.FAMILY, receipts.FAMILY, kept_requests.FAMILY, event_receipts.FAMILY),
    *(counters.FAMILY, groups.FAMILY, groups.EMPTY, arrivals.FAMILY, rejected.FAMILY, uses.FAMILY),
    *(credentials.FAMILY, key_changes.FAMILY, keys_at_once.FAMILY),
    *(erasing.FAMILY, backups.FAMILY, backups.DISK, moving.FAMILY, kill.FAMILY),
)
"""Each yields the checks of its family, named `<family>/<promise>`, without doing what takes long."""


def engine_checks(engine: EngineUnderTest | Callable[[], AbstractContextManager[str]]) -> list[Check]:
    """Return every check of an engine, or of what yields the URL of a new, empty store of it."""
    if not isinstance(engine, EngineUnderTest):
        engine = EngineUnderTest("engine", engine)
    return [check for family in FAMILIES for check in family.checks(engine)]
