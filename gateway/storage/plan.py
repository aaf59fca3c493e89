"""What a group of entries becomes: answers, and rows for each table. Pure: no connection, no clock."""

from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from gateway.storage.base import Appended, Entry, Standing


@attrs.define
class Plan:
    """The outcome of a group. Rows lie flat, one value after the other, as the statements take them."""

    position: int
    answers: list[Appended] = attrs.field(factory=list)
    events: list[object] = attrs.field(factory=list)
    keys: set[bytes] = attrs.field(factory=set)
    quarantine: list[object] = attrs.field(factory=list)
    claims: dict[bytes, tuple[bytes, bytes]] = attrs.field(factory=dict)
    counts: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)

    def counters(self) -> list[object]:
        """Return the rows of what to add to the counters."""
        return [value for name, count in self.counts.items() if count for value in (*name, count)]

    def claimed(self) -> list[object]:
        """Return the rows of the new claims."""
        return [value for digest, rest in self.claims.items() for value in (digest, *rest)]


def decide(
    entries: Sequence[Entry], position: int, seen: set[bytes], claimed: Mapping[bytes, tuple[bytes, bytes]]
) -> Plan:
    """Return the group's plan, given the last position, which of its keys were seen, and the claims made before.

    The first occurrence wins, also within the group. Raises UnicodeDecodeError on text that is not UTF-8.
    """
    plan = Plan(position)
    for entry in entries:
        plan.answers.append(_answer(plan, entry, seen, claimed))
    return plan


def _answer(plan: Plan, entry: Entry, seen: set[bytes], claimed: Mapping[bytes, tuple[bytes, bytes]]) -> Appended:
    claim = entry.claim
    if claim is not None:
        before = claimed.get(claim.digest) or plan.claims.get(claim.digest)
        if before is None:
            plan.claims[claim.digest] = (claim.fingerprint, claim.memory)
        elif before[0] != claim.fingerprint:
            return Appended(Standing.CONFLICT)
        else:
            _count(plan, entry, stored=0, held=0)
            return Appended(Standing.REPLAY, memory=before[1])
    marks: list[bool] = []
    for row in entry.rows:
        key = row.key
        known = key is not None and (key in seen or key in plan.keys)
        marks.append(known)
        if known:
            continue
        if key is not None:
            plan.keys.add(key)
        plan.position += 1
        plan.events += (plan.position, key, row.body.decode())
    for held in entry.held:
        plan.quarantine += (held.message_id, entry.received_at, entry.project, entry.dialect, entry.route)
        plan.quarantine += (held.faults.decode(), held.payload.decode())
    _count(plan, entry, stored=len(marks) - sum(marks), held=len(entry.held))
    return Appended(Standing.FRESH, seen=tuple(marks))


def _count(plan: Plan, entry: Entry, stored: int, held: int) -> None:
    # A replayed request's items were all taken before, so that whatever it carries now counts as duplicate.
    received = len(entry.rows) + len(entry.held)
    where = (entry.project, entry.dialect)
    plan.counts[*where, "received"] += received
    plan.counts[*where, "stored"] += stored
    plan.counts[*where, "quarantined"] += held
    plan.counts[*where, "duplicate"] += received - stored - held
