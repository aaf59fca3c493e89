"""The items of files, into the log: a few entries on their way at a time, so that memory stays flat."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import attrs

from gateway.dialect import Route, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Outcome, Refusal, StorageUnavailable, Verdict
from gateway.operate.explain import explain
from gateway.operate.importing import reading
from gateway.operate.importing.found import HEADER, Found, ImportProblem, RecordedRequest
from gateway.operate.importing.pace import Pace
from gateway.operate.importing.shape import Shape
from gateway.operate.importing.totals import Totals
from gateway.operate.importing.translation import Translation, bad_ones, without_bad
from gateway.operate.importing.trial import KnownHere
from gateway.storage.contract import Appended, AppendStatus, Entry

CHUNK, CHUNK_BYTES = 200, 60_000
"""So many items, or bytes, are translated at once, and are one entry. That is about two milliseconds of a commit."""
PATIENCE = 30.0  # seconds for which a store that keeps nothing is tried again


@attrs.define
class Importer:
    """Imports into one project. `append` is the log's; `now` gives milliseconds, `under_way` entries may wait at once.

    `pace` says how much of the time the log is used, see there.
    """

    translation: Translation
    append: Callable[[Entry], Awaitable[Appended]]
    now: Callable[[], int]
    pace: Pace
    totals: Totals = attrs.field(factory=Totals)
    under_way: int = 4
    _known: KnownHere = attrs.field(factory=KnownHere, init=False)
    _waiting: set[asyncio.Task[None]] = attrs.field(factory=set, init=False)

    async def items(self, name: str, shape: Shape, found: Iterable[Found], told: Callable[[], None]) -> None:
        """Import the items of a file; `told` is called after each chunk.

        Raises StorageUnavailable and ImportProblem.
        """
        try:
            for chunk in chunks(found):
                received_at = self.now()
                for part in reading.parts(shape, chunk, received_at):
                    await self._part(name, shape, part)
                told()
        finally:
            await self._settled(0)

    async def request(
        self, name: str, recorded: RecordedRequest, route: Route, path: str, variables: Mapping[str, str]
    ) -> None:
        """Import a request that was recorded. Raises StorageUnavailable."""
        headers = {**recorded.headers, HEADER: f"{name}:{recorded.line}"}
        request = Request(
            recorded.method, path, recorded.query, headers, recorded.body, self.now(), variables=variables
        )
        try:
            submission = route.parse(request)
            fault = submission.fault
        except Refusal as refusal:
            submission, fault = Submission(), reading.fault_of(refusal)
        if fault is not None:
            submission = attrs.evolve(submission, items=(reading.unread(recorded.body, fault),), fault=None)
        if submission.items:
            named = reading.with_ids_of(recorded, submission)
            await self._append(f"{name}:{recorded.line}", route, request, named, recorded.started)

    async def finished(self) -> None:
        """Wait until all is on disk. Raises StorageUnavailable."""
        await self._settled(0)

    async def _part(self, name: str, shape: Shape, part: reading.Part) -> None:
        try:
            classified, entry = await self.translation.entry(shape.route, part.request, reading.with_ids(part))
        except Refusal:  # too much is made of so many
            classified, entry = None, None
        bad = range(len(part.found)) if classified is None or entry is None else bad_ones(entry)
        if classified is not None and entry is not None and entry.rows:
            stored = tuple([each for each in classified.outcomes if each.verdict is Verdict.STORED])
            await self._send("", without_bad(entry), stored)
        for index in bad:
            only = part.found[index]
            one = reading.alone(shape, only, part.request.received_at, {HEADER: f"{name}:{only.line}"})
            await self._append(f"{name}:{only.line}", shape.route, one.request, reading.with_ids(one))

    async def _append(
        self, where: str, route: Route, request: Request, submission: Submission, started: int | None = None
    ) -> None:
        """Append the items of a request of their own, bad ones with the request."""
        try:
            classified, entry = await self.translation.entry(route, request, submission, started)
        except Refusal as refusal:  # too much is made of it
            unread = reading.unread(request.body, reading.fault_of(refusal))
            named = attrs.evolve(unread, message_id=submission.items[0].message_id)
            submission = attrs.evolve(submission, items=(named,))
            classified, entry = await self.translation.entry(route, request, submission, started)
        await self._send(where, entry, classified.outcomes)

    async def _send(self, where: str, entry: Entry, outcomes: Sequence[Outcome]) -> None:
        """Have an entry appended, once there is room for it among those under way."""
        await self._settled(self.under_way - 1)
        task = asyncio.create_task(self._appended(where, entry, tuple(outcomes)))
        self._waiting.add(task)

    async def _settled(self, most: int) -> None:
        """Wait until no more than so many entries are under way. Raises what an append has raised."""
        while len(self._waiting) > most or any(each.done() for each in self._waiting):
            done, self._waiting = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
            problems = [each.exception() for each in done]  # of all, so that none is told again as never asked for
            for problem in filter(None, problems):
                raise problem

    async def _appended(self, where: str, entry: Entry, outcomes: tuple[Outcome, ...]) -> None:
        appended = await self._patiently(entry)
        if appended.status is AppendStatus.CONFLICT:  # the key of another request: its items have ids of their own
            appended = await self._patiently(attrs.evolve(entry, idempotency=None))
        if entry.trial:
            outcomes = self._known.applied(entry, outcomes)
        if appended.status is AppendStatus.REPLAYED:  # the request came in live, with the same Idempotency-Key
            self.totals.duplicate += len(outcomes)
            return
        for outcome in appended.applied_to(outcomes):
            match outcome.verdict:
                case Verdict.STORED:
                    self.totals.stored += 1
                case Verdict.DUPLICATE:
                    self.totals.duplicate += 1
                case Verdict.FILTERED:
                    self.totals.filtered += 1
                case _:
                    self.totals.quarantined += 1
                    fault = outcome.faults[0]
                    self.totals.tell(where, explain(fault.code, fault.pointer, fault.detail))

    async def _patiently(self, entry: Entry) -> Appended:
        """Append an entry, again if the store cannot keep it now: all have ids, so that none is stored twice."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                async with self.pace.turn():
                    return await self.append(entry)
            except StorageUnavailable as error:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(min(1.0, error.retry_after))


def chunks(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Yield items in lists of at most CHUNK items and about CHUNK_BYTES; also those before a place that is damaged.

    Raises ImportProblem.
    """
    chunk, size, problem = list[Found](), 0, None
    try:
        for each in found:
            chunk.append(each)
            size += len(each.text)
            if size >= CHUNK_BYTES or len(chunk) >= CHUNK:
                yield chunk
                chunk, size = [], 0
    except ImportProblem as damaged:
        problem = damaged
    if chunk:
        yield chunk
    if problem is not None:
        raise problem
