"""The path of one submission, from a request to its answer, both plain values; its one await is the store."""

import logging
from collections.abc import Callable, Mapping

import attrs

from gateway import idempotency
from gateway.assemble import Sorting, assemble, stamp
from gateway.auth import Door, Keyring, Principal
from gateway.dialect import Arrival, Handled, Route, Submission, Unfit
from gateway.examine import UNEXPLAINED, Examiner, KeepIp, refuses
from gateway.ids import derived
from gateway.limit import Limiter
from gateway.message import Request, Response
from gateway.metrics import Meter
from gateway.outcome import Outcome, Reason, Refusal, StorageUnavailable, Verdict
from gateway.registry import Installed
from gateway.storage.base import Entry, Standing, Storage
from gateway.timestamps import from_millis

log = logging.getLogger("gateway")


def _as_sent(_project: str) -> KeepIp | None:
    return None


@attrs.define
class Pipeline:
    """What every submission passes through.

    `keyring` is swapped whole when credentials change. `keep_ip` says, for a project that does not keep addresses as
    they are sent, what it keeps of one.
    """

    storage: Storage
    keyring: Keyring
    ids: Callable[[int], str]
    meter: Meter
    limiters: Mapping[str, Limiter] = attrs.field(factory=dict)
    keep_ip: Callable[[str], KeepIp | None] = _as_sent

    async def ingest(self, installed: Installed, route: Route, request: Request) -> Response:
        """Return the vendor's answer to one request; what its 2xx covers is on disk by then."""
        submission = Submission()
        try:
            submission = route.parse(request)
            handled, replayed = await self._handle(installed, route, request, submission)
            response = route.render(handled)
        except Refusal as refusal:
            return self.refuse(installed, request, refusal, route, len(submission.items))
        except StorageUnavailable as problem:
            down = Refusal(Reason.UNAVAILABLE, retry_after=problem.retry_after)
            return self.refuse(installed, request, down, route, len(submission.items))
        except Exception:
            log.exception("a bug answered 500 to %s %s", request.method, request.path)
            return self.refuse(installed, request, Refusal(Reason.INTERNAL), route, len(submission.items))
        self.meter.accepted(installed.dialect.name, handled.outcomes)
        if replayed:
            return attrs.evolve(response, headers={**response.headers, "Idempotency-Replayed": "true"})
        return response

    def refuse(
        self, installed: Installed, request: Request, refusal: Refusal, route: Route | None = None, items: int = 0
    ) -> Response:
        """Return the vendor's answer to a request that is refused, and leave a line that says why."""
        name = installed.dialect.name
        self.meter.refused(name, refusal.reason, items)
        log.info("refused %s %s %s: %s", name, request.method, request.path, _why(refusal))
        voice = installed.dialect.refuse if route is None or route.refuse is None else route.refuse
        response = voice(request, refusal)
        if refusal.retry_after is None or "Retry-After" in response.headers:
            return response
        return attrs.evolve(response, headers={**response.headers, "Retry-After": str(refusal.retry_after)})

    async def _handle(
        self, installed: Installed, route: Route, request: Request, submission: Submission
    ) -> tuple[Handled, bool]:
        dialect = installed.dialect.name
        if route.body_first and not submission.credentials:
            _refuse_bad_body(installed, route, submission)
        door = Door(dialect, installed.kinds, route.scope, request.headers.get("origin"), request.received_at)
        principal = self.keyring.resolve(submission, door)
        limiter = self.limiters.get(dialect)
        quota = None if limiter is None else limiter.take(principal.credential_id, request.received_at)
        try:
            if submission.fault is not None:
                raise Refusal(Reason.BODY, faults=(submission.fault,))
            outcomes, replayed = await self._keep(installed, route, request, submission, principal)
        except Refusal as refusal:
            raise attrs.evolve(refusal, quota=quota) from refusal
        return Handled(request, submission, outcomes, principal.project, quota), replayed

    async def _keep(
        self, installed: Installed, route: Route, request: Request, submission: Submission, principal: Principal
    ) -> tuple[tuple[Outcome, ...], bool]:
        dialect, project = installed.dialect.name, principal.project
        key = idempotency.key_of(request)
        received_at = from_millis(request.received_at)
        assert received_at is not None, "the clock is outside the years 1 to 9999"
        arrival = Arrival(project, principal.site, received_at, request.client_ip, submission.context)
        examiner = Examiner(installed, route, arrival, self.keep_ip(project))
        name = self._names((project, dialect, route.name), key, request.received_at)
        sorting = Sorting(request, principal, dialect, route.unfit, installed.dialect.body_cap, name)
        assembled = assemble(sorting, submission.items, examiner.examine)
        outcomes = assembled.outcomes
        claim = None
        if key is not None:
            claim = idempotency.claim((project, dialect, route.name), key, request, submission, outcomes)
        elif not assembled.rows and not assembled.held:
            return outcomes, False
        appended = await self.storage.append(
            Entry(
                project,
                dialect,
                route.name,
                request.received_at,
                assembled.rows,
                assembled.held,
                assembled.blobs,
                claim,
            )
        )
        if appended.standing is Standing.CONFLICT:
            raise Refusal(Reason.CONFLICT)
        if appended.standing is Standing.REPLAY:
            return idempotency.recall(appended.memory), True
        return stamp(outcomes, appended.seen), False

    def _names(self, scope: tuple[str, str, str], key: str | None, now: int) -> Callable[[int], str]:
        """Return what names an item that brought no id: always alike under an Idempotency-Key, else afresh."""
        if key is None:
            return lambda _index: self.ids(now)
        return lambda index: derived(*scope, key, str(index))


def _refuse_bad_body(installed: Installed, route: Route, submission: Submission) -> None:
    """Answer an anonymous request's bad body as such, by the compiled check alone."""
    if submission.fault is not None:
        raise Refusal(Reason.BODY, faults=(submission.fault,))
    if route.unfit in (Unfit.REFUSE_ALL, Unfit.REFUSE_INVALID) and refuses(installed, submission.items):
        raise Refusal(
            Reason.INVALID, outcomes=tuple(Outcome(Verdict.INVALID, "", UNEXPLAINED) for _ in submission.items)
        )


def _why(refusal: Refusal) -> str:
    """Return a refusal's facts in one line for the log; never a value that a client sent as a credential."""
    faults = [fault for outcome in refusal.outcomes for fault in outcome.faults] or list(refusal.faults)
    said = [f"{fault.code} at {fault.pointer or '/'}" for fault in faults[:3]]
    said += [f"{name} {value}" for name, value in refusal.detail.items()]
    return "; ".join([refusal.reason.value, *said])
