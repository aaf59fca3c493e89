"""What an engine does to erase a person: Eraser, and its report. No engine here.

An erasure is committed first: the hash of the person's id, and when. From then on no commit stores what that person
did before (see guard.py). Then the events are removed, a few at a time, each with all that hangs on it.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from gateway.records.person import Person
from gateway.storage.held.record import QuarantineRecord

MOST_OTHER_IDS = 20
PayloadOf = Callable[[QuarantineRecord], bytes | None]
"""Returns the payload (JSON) of a quarantined item, which may be only in its request; None if it is not known."""


@attrs.frozen(kw_only=True)
class ErasureReport:
    """What was erased, or would be.

    `events` were removed. In `mentions` events of others the id became ERASED; in `parts_left` it is part of a longer
    text, and stays. `receipts` have lost ids, `kept_requests` (of stored events), `quarantined` items, `rejected`
    requests and `files` are gone. `other_ids` are ids that the person's events had beside this one, as
    `("anonymous_id", "a-1")`, at most MOST_OTHER_IDS. `left` says in a line each what this engine could not do.
    """

    events: int = 0
    mentions: int = 0
    parts_left: int = 0
    receipts: int = 0
    kept_requests: int = 0
    quarantined: int = 0
    rejected: int = 0
    files: int = 0
    other_ids: Sequence[tuple[str, str]] = ()
    left: Sequence[str] = ()


class Eraser(Protocol):
    """Erases persons from one store. Every engine passes gateway/testing/engine/upkeep/erasing.py."""

    async def erase(self, person: Person, *, at: int, payload_of: PayloadOf, dry_run: bool = False) -> ErasureReport:
        """Erase a person; `at` is now, in milliseconds since the epoch.

        It may be killed at any moment, and called again: what was erased before is not counted again. With `dry_run`
        nothing is changed. Raises StoreError, and StorageUnavailable if a server that runs cannot do it now.
        """
        ...
