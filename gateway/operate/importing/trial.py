"""What a dry run remembers: it stores nothing, so the log cannot tell it what the file has twice."""

import attrs

from gateway.dialect.outcome import Outcome, Verdict
from gateway.storage.contract import Entry

MOST = 200_000
"""Ids that are remembered, the last ones: a file of any size takes no more memory than these."""


@attrs.define
class KnownHere:
    """The last keys that a dry run has met, oldest first."""

    _keys: dict[bytes, None] = attrs.field(factory=dict, init=False)

    def applied(self, entry: Entry, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """Return outcomes with those as duplicates whose keys came before."""
        rows, held = iter(entry.rows), iter(entry.quarantined)
        found = []
        for outcome in outcomes:
            key = next(rows).key if outcome.verdict is Verdict.STORED else next(held).key
            assert key is not None, "every item that is imported has an id"
            is_known = key in self._keys
            self._keys[key] = None
            found.append(attrs.evolve(outcome, verdict=Verdict.DUPLICATE) if is_known else outcome)
        while len(self._keys) > MOST:
            del self._keys[next(iter(self._keys))]
        return tuple(found)
