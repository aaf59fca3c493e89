"""The path of one submission, from a request to its answer, both plain values; its one await is the store."""

import logging
from collections.abc import Callable

import attrs

from gateway import idempotency
from gateway.admission import Gate, attributed
from gateway.assemble import Sorting, assemble, stamp
from gateway.auth import Principal
from gateway.blank import blanked, kept, line
from gateway.dialect import Arrival, Handled, Route, Submission
from gateway.examine import Examiner, IsBot, KeepIp
from gateway.ids import derived
from gateway.message import Request, Response
from gateway.metrics import Meter
from gateway.outcome import Outcome, Reason, Refusal, StorageUnavailable
from gateway.refused import RefusedNote
from gateway.registry import Installed
from gateway.storage.base import Appended, Entry, Standing, Storage
from gateway.storage.packed import pack
from gateway.storage.refused import Note
from gateway.timestamps import from_millis

UNREAD = Submission()
log = logging.getLogger("gateway")


def _as_sent(_project: str | None) -> KeepIp | None:
    return None


@attrs.define
class Pipeline:
    """What every submission passes through.

    `keep_ip` says, for a project that does not keep addresses as they are sent, what it keeps of one; None is a
    stranger's. `note` is told of each refused request.
    `is_bot` tells the user agents whose events the `filtered` projects do not want;
    `keep_raw` keeps each request beside its events.
    """

    storage: Storage
    gate: Gate
    ids: Callable[[int], str]
    meter: Meter
    keep_ip: Callable[[str | None], KeepIp | None] = _as_sent
    note: Callable[[Note], None] | None = None
    is_bot: IsBot | None = None
    filtered: frozenset[str] = frozenset()
    keep_raw: bool = False

    async def ingest(self, installed: Installed, route: Route, request: Request) -> Response:
        """Return the vendor's answer to one request; what its 2xx covers is on disk by then."""
        submission, admitted = UNREAD, None
        try:
            submission = route.parse(request)
            admitted = self.gate.admit(installed, route, request, submission)
            outcomes, entry = self._sort(installed, route, request, submission, admitted.principal)
            appended = await self.storage.append(entry)
            outcomes, headers = _settled(outcomes, appended)
            handled = Handled(request, submission, outcomes, admitted.principal.project, admitted.quota)
            response = route.render(handled)
        except Exception as problem:
            refusal = attributed(_refusal(problem), admitted)
            if refusal.reason is Reason.INTERNAL:
                place = line(request.path, request, installed.dialect, submission.credentials)
                log.exception("a bug answered 500 to %s %s", request.method, place)
            return self.refuse(installed, request, refusal, route, submission)
        self.meter.accepted(installed.dialect.name, outcomes)
        if response.headers:
            headers = {**response.headers, **headers}
        return Response(response.status, response.body, response.content_type, headers)

    def refuse(
        self,
        installed: Installed,
        request: Request,
        refusal: Refusal,
        route: Route | None = None,
        submission: Submission = UNREAD,
    ) -> Response:
        """Return the vendor's answer to a request that is refused, and leave a line that says why."""
        name = installed.dialect.name
        items = len(submission.items)
        self.meter.refused(name, refusal.reason, items)
        said = f"{name} {request.method} {request.path}: {_why(refusal)}"
        log.info("refused %s", line(said, request, installed.dialect, submission.credentials))
        voice = installed.dialect.refuse if route is None or route.refuse is None else route.refuse
        response = voice(request, refusal)
        if self.note is not None:
            project = refusal.project
            keep_ip = self.keep_ip(project)
            named = None if route is None else route.name
            left = (named, request, refusal, submission, response.status, keep_ip)
            self.note(RefusedNote(project, name, items, installed.dialect, *left))
        if refusal.retry_after is None or "Retry-After" in response.headers:
            return response
        return attrs.evolve(response, headers={**response.headers, "Retry-After": str(refusal.retry_after)})

    def _sort(
        self, installed: Installed, route: Route, request: Request, submission: Submission, principal: Principal
    ) -> tuple[tuple[Outcome, ...], Entry]:
        """Return each item's outcome, were none of them seen before, and what the store is to keep. Raises Refusal."""
        if submission.fault is not None:
            raise Refusal(Reason.BODY, faults=(submission.fault,))
        dialect, project = installed.dialect.name, principal.project
        key = idempotency.key_of(request)
        received_at = from_millis(request.received_at)
        assert received_at is not None, "the clock is outside the years 1 to 9999"
        arrival = Arrival(project, principal.site, received_at, request.client_ip, submission.context)
        keep_ip = self.keep_ip(project)
        examiner = Examiner(installed, route, arrival, keep_ip, self.is_bot if project in self.filtered else None)
        name = self._names((project, dialect, route.name), key, request.received_at)
        sorting = Sorting(request, principal, dialect, route.unfit, installed.dialect.body_cap, name)
        assembled = assemble(sorting, submission.items, examiner.examine)
        outcomes = assembled.outcomes
        plain = len(assembled.rows) == len(outcomes)
        memory = b"" if plain and key is None else idempotency.remember(outcomes)
        claim = None
        if key is not None:
            claim = idempotency.claim((project, dialect, route.name), key, request, submission, memory)
        raw, held = None, assembled.held
        if held:
            held = blanked(held, installed.dialect, submission.credentials)
        if held or self.keep_raw:
            raw = kept(request, installed.dialect, submission.credentials, principal.site, keep_ip)
        return outcomes, Entry(
            project,
            dialect,
            route.name,
            request.received_at,
            assembled.rows,
            held,
            assembled.blobs,
            claim,
            raw if held else None,
            b"" if plain else memory,
            packed=pack(raw) if raw is not None and self.keep_raw and assembled.rows else b"",
        )

    def _names(self, scope: tuple[str, str, str], key: str | None, now: int) -> Callable[[int], str]:
        """Return what names an item that brought no id: always alike under an Idempotency-Key, else afresh."""
        if key is None:
            return lambda _index: self.ids(now)
        return lambda index: derived(*scope, key, str(index))


def _settled(outcomes: tuple[Outcome, ...], appended: Appended) -> tuple[tuple[Outcome, ...], dict[str, str]]:
    """Return the outcomes as the store has decided them, and the headers that say so. Raises Refusal."""
    if appended.standing is Standing.CONFLICT:
        raise Refusal(Reason.CONFLICT)
    headers = {"X-Gateway-Receipt": f"{appended.receipt:x}"} if appended.receipt else {}
    if appended.standing is Standing.REPLAY:
        return idempotency.recall(appended.memory), {**headers, "Idempotency-Replayed": "true"}
    return stamp(outcomes, appended.seen), headers


def _refusal(problem: Exception) -> Refusal:
    """Return what a problem refuses its request as: a store that cannot keep it, or a bug, where it is no refusal."""
    if isinstance(problem, Refusal):
        return problem
    if isinstance(problem, StorageUnavailable):
        return Refusal(Reason.UNAVAILABLE, retry_after=problem.retry_after)
    return Refusal(Reason.INTERNAL)


def _why(refusal: Refusal) -> str:
    """Return a refusal's facts in one line for the log; never a value that a client sent as a credential."""
    faults = [fault for outcome in refusal.outcomes for fault in outcome.faults] or list(refusal.faults)
    said = [f"{fault.code} at {fault.pointer or '/'}" for fault in faults[:3]]
    said += [f"{name} {value}" for name, value in refusal.detail.items()]
    return "; ".join([refusal.reason.value, *said])
