"""Whether the first event of a project and dialect has come, told by counters that have grown. No page here."""

from typing import Self

import attrs

from gateway.dialect.outcome import Verdict
from gateway.operate.counters import totals
from gateway.storage.store import Store
from gateway.store_error import EmptyStore

VERDICTS = tuple(verdict.value for verdict in Verdict)
WAITING = "waiting"


@attrs.frozen
class Arrived:
    """How many items of a project and dialect had each verdict, in the order of VERDICTS.

    Rejected ones of nobody are among them: a wrong key is the commonest mistake.
    """

    counts: tuple[int, ...]

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the value that `text` was written from; None for anything else."""
        parts = text.split("-")
        if len(parts) != len(VERDICTS) or not all(part.isascii() and part.isdigit() for part in parts):
            return None
        return cls(tuple(map(int, parts))) if len(text) <= 100 else None

    @property
    def text(self) -> str:
        """The counts in one word, such as `3-0-1-0-2`."""
        return "-".join(map(str, self.counts))

    def since(self, before: Self) -> str:
        """Return what has come since then: the best verdict of any item, or WAITING."""
        grown = zip(VERDICTS, self.counts, before.counts, strict=True)
        return next((verdict for verdict, now, then in grown if now > then), WAITING)


async def arrived(store: Store, project: str, dialect: str) -> Arrived:
    """Return the counts as they are now. Raises StoreError, but not for a store without any event."""
    try:
        async with store.records() as records:
            found = await totals(records)
    except EmptyStore:
        return Arrived((0,) * len(VERDICTS))
    rejected = Verdict.REJECTED.value
    counts = {verdict: found[project, dialect, verdict] for verdict in VERDICTS}
    counts[rejected] += found["", dialect, rejected] if project else 0
    return Arrived(tuple(counts.values()))
