"""What an erasure has found so far, in numbers. Nothing of the database here."""

from collections import Counter
from collections.abc import Mapping

import attrs

from gateway.records.person import Person
from gateway.storage.erasing.eraser import MOST_OTHER_IDS, ErasureReport


@attrs.define
class Found:
    """Counts what is erased of a person; with `dry_run` what would be.

    `answered` are the numbers of the receipts of the person's events, `receipts` of those that were changed, and
    `kept_requests` of those whose request goes. If all is only looked at, `messages` are `(dialect, message id)` of the
    person's events, and `held` the numbers of quarantined items. `secret` is that of the store's hashes; None where
    nothing was ever erased, and nothing is now.
    """

    person: Person
    secret: bytes | None
    dry_run: bool
    counts: Counter[str] = attrs.field(factory=Counter)
    answered: set[int] = attrs.field(factory=set)
    receipts: set[int] = attrs.field(factory=set)
    held: set[int] = attrs.field(factory=set)
    kept_requests: set[int] = attrs.field(factory=set)
    messages: set[tuple[str, str]] = attrs.field(factory=set)
    other_ids: dict[tuple[str, str], None] = attrs.field(factory=dict)
    left: list[str] = attrs.field(factory=list)

    def add_other_ids(self, event: Mapping[str, object]) -> None:
        """Remember the ids that one of the person's events has beside the one that is erased."""
        for field in ("user_id", "anonymous_id", "previous_id"):
            value = event.get(field)
            if isinstance(value, str) and value != self.person.id and len(self.other_ids) < MOST_OTHER_IDS:
                self.other_ids[field, value] = None

    def report(self) -> ErasureReport:
        """Return the whole."""
        return ErasureReport(
            events=self.counts["events"],
            mentions=self.counts["mentions"],
            parts_left=self.counts["parts_left"],
            receipts=len(self.receipts),
            kept_requests=len(self.kept_requests),
            quarantined=self.counts["quarantined"],
            rejected=self.counts["rejected"],
            files=self.counts["files"],
            other_ids=tuple(self.other_ids),
            left=tuple(self.left),
        )
