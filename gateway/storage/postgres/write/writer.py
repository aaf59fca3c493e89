"""Writes a group of entries in one transaction: what was seen before, the decision, the rows. No error is handled here.

The usual group takes four round trips: BEGIN, the keys, all rows in one statement, COMMIT.
"""

import asyncio
from collections.abc import Sequence, Set
from functools import partial
from random import Random

import attrs

from gateway.storage.contract import AppendStatus, Entry
from gateway.storage.decide import decide
from gateway.storage.erasing.guard import Look
from gateway.storage.plan import NOTHING, RECEIPT_RANDOM_BITS, Plan, Snapshot, Stream
from gateway.storage.postgres.connection.session import Connection, one
from gateway.storage.postgres.gateways import Gateway
from gateway.storage.postgres.partitions import day_of_receipt
from gateway.storage.postgres.write import blobs
from gateway.storage.postgres.write.dedupe import answer_claims, claim, insert_keys, known_keys
from gateway.storage.postgres.write.erasures import Erasures, held_back
from gateway.storage.postgres.write.quarantine import Quarantine
from gateway.storage.postgres.write.rows import WRITE, values_of

LANES = 256
RECEIPT_RANDOM = Random()  # noqa: S311 (a receipt's number is not a secret)


class MissingDays(Exception):
    """Some days have no partitions yet."""

    def __init__(self, days: set[int]) -> None:
        super().__init__("the database has no partition for today")
        self.days = days


class UnknownErasures(Exception):
    """Somebody was erased since this process has last read who was."""


@attrs.define
class GroupWrite:
    """A group that was written and is not committed yet: what to remember if it is.

    `xid` is the transaction. `witness` is a row that is there exactly if the transaction was committed: the table
    ("receipts" or "settled"), project and id; None if it wrote no such row.
    """

    plan: Plan
    xid: int
    witness: tuple[str, str, int] | None


@attrs.define
class Writer:
    """What one process remembers between its groups. `days` are those that have partitions, `receipt` the last one."""

    gateway: Gateway
    quarantine: Quarantine
    days: set[int]
    receipt: int = 0
    streams: dict[Stream, int] = attrs.field(factory=dict)
    erasures: Erasures = attrs.field(factory=Erasures)

    async def write(self, db: Connection, entries: Sequence[Entry]) -> GroupWrite | Plan:
        """Write a group inside the open transaction; return only the plan if there was nothing to write.

        Raises MissingDays, UnknownErasures, LostRace, one of EXPECTED, and any error of an unfit entry.
        """
        plan, values = await self._decide(db, entries)
        if not plan.counts and not plan.settled:
            return plan
        days = {day_of_receipt(number) for number in plan.receipts[::6] if isinstance(number, int)}
        if missing := days - self.days:
            raise MissingDays(missing)
        xid, offset, erasures = await one(db, WRITE, self.gateway.number, *values, self.erasures.count)
        if erasures != self.erasures.count:
            raise UnknownErasures("people are erased all the time")
        await self._write_rare(db, entries, plan, xid + offset)
        return GroupWrite(plan, xid, _witness(entries, plan))

    async def write_nothing(self, db: Connection) -> None:
        """Run the statements of a group without a row: they fail where those of a group would, as without a table."""
        await insert_keys(db, {})
        await one(db, WRITE, self.gateway.number, *values_of(Plan(Snapshot(), lambda: 0), {}), 0)

    def committed(self, written: GroupWrite) -> None:
        """Remember what was committed."""
        plan = written.plan
        self.receipt = plan.receipt
        self.gateway.last_given = plan.quarantine_id
        self.streams |= plan.streams
        self.quarantine.committed(plan)

    def skip_receipts(self, entries: Sequence[Entry]) -> None:
        """Go on a millisecond later: a process that had this number before has given some of these numbers."""
        newest = max([entry.received_at for entry in entries], default=0) << RECEIPT_RANDOM_BITS
        self.receipt = max(self.receipt, newest) + (1 << RECEIPT_RANDOM_BITS)

    async def _decide(self, db: Connection, entries: Sequence[Entry]) -> tuple[Plan, Sequence[object]]:
        """Return the plan of a group, and what WRITE takes of it.

        Nearly always all keys are new. So the plan of that is made while the server looks for them.
        """
        look = self.erasures.guard.look(entries)
        is_rare = any(
            each.quarantined or each.trial or each.idempotency is not None or each.resolves is not None
            for each in entries
        )
        if is_rare or look is not None:
            return self._plan(entries, await self._snapshot(db, entries, look))
        keys = _keys_to_insert(entries, set(), set())
        asking = asyncio.ensure_future(insert_keys(db, keys)) if keys else None
        try:
            if asking is not None:
                await asyncio.sleep(0)  # its first turn,
                await asyncio.sleep(0)  # after which the event loop sends what was written
            found = self._plan(entries, self._numbers())
        finally:
            fresh = await asking if asking is not None else set()
        seen = keys.keys() - fresh
        return self._plan(entries, attrs.evolve(self._numbers(), seen=seen)) if seen else found

    def _plan(self, entries: Sequence[Entry], snapshot: Snapshot) -> tuple[Plan, Sequence[object]]:
        plan = decide(entries, snapshot, partial(RECEIPT_RANDOM.getrandbits, RECEIPT_RANDOM_BITS))
        return plan, values_of(plan, self.streams)

    def _numbers(self) -> Snapshot:
        """Return a snapshot in which nothing was seen before."""
        return Snapshot(
            receipt=self.receipt,
            quarantine_id=self.gateway.last_given,
            streams=self.streams,
            lane=self.gateway.number % LANES,
            lanes=LANES,
        )

    async def _snapshot(self, db: Connection, entries: Sequence[Entry], look: Look | None) -> Snapshot:
        claims = await claim(db, entries)
        resolved = sorted({entry.resolves for entry in entries if entry.resolves is not None})
        pending = await self.quarantine.pending(db, resolved) if resolved else {}
        keys = _keys_to_insert(entries, claims.keys(), pending.keys())
        fresh = await insert_keys(db, keys) if keys else set()
        held = {(entry.project, item.key) for entry in entries for item in entry.quarantined if item.key is not None}
        tried = {
            (entry.project, row.key) for entry in entries if entry.trial for row in entry.rows if row.key is not None
        }
        projects = {entry.project for entry in entries if entry.quarantined}
        # Before the keys of events: a replay takes a key from here to there.
        quarantined = await self.quarantine.known(db, held) if held else set()
        seen = keys.keys() - fresh
        if held or tried:
            seen |= await known_keys(db, [each for each in held | tried if each[1] not in fresh])
        return attrs.evolve(
            self._numbers(),
            seen=seen,
            claims=claims,
            quarantined=quarantined,
            pending=pending,
            room=await self.quarantine.room(db, projects) if projects else {},
            held_back=NOTHING if look is None else await held_back(db, entries, look),
        )

    async def _write_rare(self, db: Connection, entries: Sequence[Entry], plan: Plan, xid: int) -> None:
        new = [entry for entry, answer in zip(entries, plan.answers, strict=True) if answer.status is AppendStatus.NEW]
        if files := [(entry.project, blob) for entry in new for blob in plan.snapshot.held_back.blobs_of(entry)]:
            await blobs.keep(db, files)
        if plan.raws:
            projects = _projects_of_receipts(entries, plan)
            receipts = plan.raws[::2]
            await db.execute(
                "INSERT INTO gateway.raws SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[])",
                [projects[each] for each in receipts],
                receipts,
                plan.raws[1::2],
            )
        if plan.quarantine or plan.settled:
            resolved = {entry.resolves: entry.project for entry in entries if entry.resolves is not None}
            await self.quarantine.write(db, plan, xid, resolved)
        if plan.claims:
            of = {entry.idempotency.digest: entry.project for entry in entries if entry.idempotency is not None}
            await answer_claims(db, plan.claims, of)


def _keys_to_insert(entries: Sequence[Entry], claimed: Set[bytes], pending: Set[int]) -> dict[bytes, str]:
    """Return the dedupe keys of the rows that `decide` will look at, each with its project.

    Those are not the rows of an entry that was seen before: a key of a row that is not stored must not be known.
    """
    keys: dict[bytes, str] = {}
    digests, resolved = set(claimed), set[int]()
    for entry in entries:
        if entry.trial:
            continue
        if entry.resolves is not None:
            if entry.resolves not in pending or entry.resolves in resolved:
                continue
            resolved.add(entry.resolves)
        elif entry.idempotency is not None:
            if entry.idempotency.digest in digests:
                continue
            digests.add(entry.idempotency.digest)
        for row in entry.rows:
            if row.key is not None:
                keys[row.key] = entry.project
    return keys


def _projects_of_receipts(entries: Sequence[Entry], plan: Plan) -> dict[object, str]:
    return {answer.receipt: entry.project for entry, answer in zip(entries, plan.answers, strict=True)}


def _witness(entries: Sequence[Entry], plan: Plan) -> tuple[str, str, int] | None:
    for entry, answer in zip(entries, plan.answers, strict=True):
        if answer.status is AppendStatus.NEW:
            if entry.resolves is not None:
                return "settled", entry.project, entry.resolves
            return "receipts", entry.project, answer.receipt
    return None
