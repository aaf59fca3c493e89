"""The path of one submission, from a request to its answer, both plain values; its one await is the store."""

import logging
from collections.abc import Callable, Mapping

import attrs

from gateway import idempotency
from gateway.assemble import Sorting, assemble, stamp
from gateway.auth import Door, Keyring, Principal
from gateway.blank import kept
from gateway.dialect import Arrival, Handled, Route, Submission, Unfit
from gateway.examine import UNEXPLAINED, Examiner, IsBot, KeepIp, refuses
from gateway.ids import derived
from gateway.limit import Limiter
from gateway.message import Request, Response
from gateway.metrics import Meter
from gateway.outcome import Outcome, Reason, Refusal, StorageUnavailable, Verdict
from gateway.refused import RefusedNote
from gateway.registry import Installed
from gateway.storage.base import Entry, Standing, Storage
from gateway.storage.packed import pack
from gateway.storage.refused import Note
from gateway.timestamps import from_millis

UNREAD = Submission()
log = logging.getLogger("gateway")


def _as_sent(_project: str) -> KeepIp | None:
    return None


@attrs.define
class Pipeline:
    """What every submission passes through.

    `keyring` is swapped whole when credentials change. `keep_ip` says, for a project that does not keep addresses as
    they are sent, what it keeps of one. `note` is told of each refused request.
    `is_bot` tells the user agents whose events the `filtered` projects do not want;
    `keep_raw` keeps each request beside its events.
    """

    storage: Storage
    keyring: Keyring
    ids: Callable[[int], str]
    meter: Meter
    limiters: Mapping[str, Limiter] = attrs.field(factory=dict)
    keep_ip: Callable[[str], KeepIp | None] = _as_sent
    note: Callable[[Note], None] | None = None
    is_bot: IsBot | None = None
    filtered: frozenset[str] = frozenset()
    keep_raw: bool = False

    async def ingest(self, installed: Installed, route: Route, request: Request) -> Response:
        """Return the vendor's answer to one request; what its 2xx covers is on disk by then."""
        submission = Submission()
        try:
            submission = route.parse(request)
            handled, headers = await self._handle(installed, route, request, submission)
            response = route.render(handled)
        except Refusal as refusal:
            return self.refuse(installed, request, refusal, route, submission)
        except StorageUnavailable as problem:
            down = Refusal(Reason.UNAVAILABLE, retry_after=problem.retry_after)
            return self.refuse(installed, request, down, route, submission)
        except Exception:
            log.exception("a bug answered 500 to %s %s", request.method, request.path)
            return self.refuse(installed, request, Refusal(Reason.INTERNAL), route, submission)
        self.meter.accepted(installed.dialect.name, handled.outcomes)
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
        log.info("refused %s %s %s: %s", name, request.method, request.path, _why(refusal))
        voice = installed.dialect.refuse if route is None or route.refuse is None else route.refuse
        response = voice(request, refusal)
        if self.note is not None:
            project = refusal.project
            keep_ip = None if project is None else self.keep_ip(project)
            named = None if route is None else route.name
            left = (named, request, refusal, submission, response.status, keep_ip)
            self.note(RefusedNote(project, name, items, installed.dialect, *left))
        if refusal.retry_after is None or "Retry-After" in response.headers:
            return response
        return attrs.evolve(response, headers={**response.headers, "Retry-After": str(refusal.retry_after)})

    async def _handle(
        self, installed: Installed, route: Route, request: Request, submission: Submission
    ) -> tuple[Handled, dict[str, str]]:
        dialect = installed.dialect.name
        if route.body_first and not submission.credentials:
            _refuse_bad_body(installed, route, submission)
        door = Door(dialect, installed.kinds, route.scope, request.headers.get("origin"), request.received_at)
        principal = self.keyring.resolve(submission, door)
        limiter = self.limiters.get(dialect)
        quota = None
        try:
            if limiter is not None:
                quota = limiter.take(principal.credential_id, request.received_at)
            if submission.fault is not None:
                raise Refusal(Reason.BODY, faults=(submission.fault,))
            outcomes, headers = await self._keep(installed, route, request, submission, principal)
        except Refusal as refusal:
            quota = refusal.quota or quota
            raise attrs.evolve(refusal, quota=quota, project=principal.project, site=principal.site) from refusal
        return Handled(request, submission, outcomes, principal.project, quota), headers

    async def _keep(
        self, installed: Installed, route: Route, request: Request, submission: Submission, principal: Principal
    ) -> tuple[tuple[Outcome, ...], dict[str, str]]:
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
        raw = None
        if assembled.held or self.keep_raw:
            raw = kept(request, installed.dialect, submission.credentials, principal.site, keep_ip)
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
                raw if assembled.held else None,
                b"" if plain else memory,
                packed=pack(raw) if raw is not None and self.keep_raw and assembled.rows else b"",
            )
        )
        if appended.standing is Standing.CONFLICT:
            raise Refusal(Reason.CONFLICT)
        headers = {"X-Gateway-Receipt": f"{appended.receipt:x}"} if appended.receipt else {}
        if appended.standing is Standing.REPLAY:
            return idempotency.recall(appended.memory), {**headers, "Idempotency-Replayed": "true"}
        return stamp(outcomes, appended.seen), headers

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
