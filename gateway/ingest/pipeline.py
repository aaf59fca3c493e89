"""The path of a request, from a Request to a Response: the page to read first. No sockets, no SQL, no vendor.

`Pipeline.ingest` takes these steps:

1. `route.parse`: the dialect reads the request into a Submission: credentials and items.
2. `Admission.admit`: the credentials open a project, and the rate limit has room.
3. `ItemClassifier.classify`: each item becomes an event, or is quarantined, filtered or rejected.
4. `Storage.append`: everything that is kept is committed as one Entry. Duplicates are found here.
5. `route.render`: the dialect turns the outcomes into the vendor's answer.

A Refusal from any step, and any other exception, is answered by `Pipeline.refuse`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial

import attrs

from gateway.dialect.contract import Accepted, Received, Route, Submission
from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Fault, Outcome, Reason, Refusal, StorageUnavailable
from gateway.dialect.timestamps import from_millis
from gateway.ingest import idempotency, kept_requests
from gateway.ingest.admission import Admission, attributed
from gateway.ingest.clients.privacy import Privacy
from gateway.ingest.ids import numbered
from gateway.ingest.items import Classified, IsBot, ItemClassifier
from gateway.ingest.kept_requests import redacted_request
from gateway.ingest.registry import Installed
from gateway.keys.keyring import Principal
from gateway.logs.repeats import Repeats
from gateway.records.metrics import Meter
from gateway.records.redact import KeepIp, Redaction
from gateway.records.rejected_request import PendingRejection, request_id_of
from gateway.records.rejection_line import describe, kind_of
from gateway.storage.contract import Appended, AppendStatus, Entry, Storage

UNREAD = Submission()
"""Stands for the submission of a request that could not be parsed."""

NEW = AppendStatus.NEW  # looked up once: a member of an enum takes a tenth of a microsecond
SHORT = 16 * 1024  # bytes of a body that is read on the event loop in any case
MANY = 5_000  # commas of a longer body that is not: a hundred events have about two thousand
OnUse = Callable[[str, str, int, bool], None]
Asked = Callable[[str | None, Mapping[str, str]], Privacy | None]
log = logging.getLogger(__name__)


def _keep_whole_address(_project: str | None) -> KeepIp | None:
    return None


@attrs.define
class Pipeline:
    """Ingests requests. One object serves all dialects.

    `new_id` makes an id from a time in milliseconds. `keep_ip` gives, for a project, the function that shortens its
    clients' addresses, or None if they are kept whole; for strangers the project is None. `on_reject` is called with
    each rejected request. `on_use` is called for each request that names a known credential, with its project, its id,
    the time in milliseconds, and whether the request was rejected. `is_bot` says whether a user agent is a known bot's;
    it is asked for the projects in `filter_bots`. With `keep_raw`, requests are kept beside their events. `asked` gives
    what a project makes of a request's wish for privacy, by its headers; it is None if no project heeds one.
    `monotonic` is a clock in seconds. `rejections` logs why requests are rejected, without a line for each of many.
    """

    storage: Storage
    admission: Admission
    new_id: Callable[[int], str]
    meter: Meter
    keep_ip: Callable[[str | None], KeepIp | None] = _keep_whole_address
    on_reject: Callable[[PendingRejection], None] | None = None
    on_use: OnUse | None = None
    is_bot: IsBot | None = None
    filter_bots: frozenset[str] = frozenset()
    keep_raw: bool = False
    asked: Asked | None = None
    monotonic: Callable[[], float] = time.monotonic
    rejections: Repeats = attrs.field(factory=lambda: Repeats(log, "refused"))

    async def ingest(self, installed: Installed, route: Route, request: Request) -> Response:
        """Return the vendor's answer to a request; everything that a 2xx covers is on disk by then."""
        submission, admitted = UNREAD, None
        try:
            submission = await _parsed(route, request)
            admitted = self.admission.admit(installed, route, request, submission)
            classified, entry = await self._classify(installed, route, request, submission, admitted.principal)
            appended = await self.storage.append(entry)
            outcomes, headers = _settled(classified.outcomes, appended)
            accepted = Accepted(
                request=request,
                submission=classified.submission,
                outcomes=outcomes,
                project=admitted.principal.project,
                quota=admitted.quota,
            )
            response = route.render(accepted)
        except Exception as problem:
            refusal = attributed(_refusal(problem), admitted)
            if refusal.reason is Reason.INTERNAL:
                redaction = Redaction.of(request, installed.dialect, submission.credentials, is_stranger=True)
                place = redaction.log_text(request.path)
                log.exception("a bug answered 500 to %s %s", redaction.log_text(request.method), place)
            _forget_frames(problem)
            return self.refuse(installed, request, refusal, route, submission)
        self.meter.accepted(installed.dialect.name, outcomes)
        if self.on_use is not None:
            principal = admitted.principal
            self.on_use(principal.project, principal.credential_id, request.received_at, False)
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
        """Return the vendor's answer to a rejected request; count it, have it logged, and hand it to `on_reject`.

        `route` is None for a request that matched no route; `submission` is what was read of it.
        """
        _forget_frames(refusal)
        dialect = installed.dialect
        items = len(submission.items)
        self.meter.rejected(dialect.name, refusal.reason, items)
        request_id = request_id_of(request.headers)
        route_name = None if route is None else route.name
        self.rejections.add(
            kind_of(request, refusal, dialect.name, route_name),
            lambda: describe(request, refusal, dialect, submission, request_id),
        )
        render = dialect.refuse if route is None or route.refuse is None else route.refuse
        response = render(request, refusal)
        if self.on_use is not None and refusal.project is not None and refusal.credential_id is not None:
            self.on_use(refusal.project, refusal.credential_id, request.received_at, True)
        if self.on_reject is not None:
            whose = refusal.project if refusal.authenticated or refusal.admitted else None
            asked = None if self.asked is None else self.asked(whose, request.headers)
            self.on_reject(
                PendingRejection(
                    project=refusal.project,
                    dialect=dialect,
                    items=items,
                    route=route_name,
                    request=request,
                    refusal=refusal,
                    credentials=submission.credentials,
                    status=response.status,
                    request_id=request_id,
                    keep_ip=self.keep_ip(whose),
                    nameless=asked is not None and asked.anonymize,
                )
            )
        if refusal.retry_after is None or "Retry-After" in response.headers:
            return response
        return attrs.evolve(response, headers={**response.headers, "Retry-After": str(refusal.retry_after)})

    async def _classify(
        self, installed: Installed, route: Route, request: Request, submission: Submission, principal: Principal
    ) -> tuple[Classified, Entry]:
        """Return what the items become, as if no id were known, and the entry to append. Raises Refusal."""
        if submission.fault is not None:
            raise Refusal(Reason.BODY, faults=(submission.fault,))
        dialect, project = installed.dialect.name, principal.project
        key = idempotency.key_of(request)
        received_at = from_millis(request.received_at)
        assert received_at is not None, "the clock is outside the years 1 to 9999"
        received = Received(project, principal.site, received_at, request.client_ip, submission.context)
        keep_ip = self.keep_ip(project)
        is_bot = self.is_bot if project in self.filter_bots else None
        is_stranger = not principal.authenticated  # a public id opens the project for anybody
        asked = None if self.asked is None else self.asked(project, request.headers)
        is_nameless = asked is not None and asked.anonymize
        classifier = ItemClassifier(
            installed,
            route,
            received,
            keep_ip,
            is_bot,
            on_bug=lambda fault: self._dialect_bug(dialect, route, fault),
            refused_sites=principal.refused_sites,
            user_agent=request.headers.get("user-agent", ""),
            is_stranger=is_stranger,
            asked=asked,
        )
        new_id = self._ids((project, dialect, route.name), key, request.received_at)
        classified = await classifier.classify(request, submission, new_id, self.monotonic)
        outcomes, rows, quarantined = classified.outcomes, classified.rows, classified.quarantined
        if len(rows) == len(outcomes) and key is None and not self.keep_raw:
            # Nearly always. By position, because keywords would add a microsecond to each request.
            return classified, Entry(project, dialect, route.name, request.received_at, rows, (), classified.blobs)
        record = None
        if key is not None:
            record = idempotency.record((project, dialect, route.name), key, request, submission, outcomes)
        raw, kept = None, None
        if is_nameless:
            kept = kept_requests.kept_of_nobody(request) if quarantined else None
        elif quarantined or self.keep_raw:
            redaction = Redaction.of(request, installed.dialect, submission.credentials, is_stranger)
            raw = await redacted_request(request, redaction, principal.site, keep_ip)
            kept = await kept_requests.keep(raw) if quarantined else None
        return classified, Entry(
            project=project,
            dialect=dialect,
            route=route.name,
            received_at=request.received_at,
            rows=rows,
            quarantined=quarantined,
            blobs=classified.blobs,
            idempotency=record,
            request=kept,
            outcomes=() if len(rows) == len(outcomes) else outcomes,
            raw_compressed=await kept_requests.compressed(raw) if raw is not None and self.keep_raw and rows else b"",
        )

    def _dialect_bug(self, dialect: str, route: Route, fault: Fault) -> None:
        """Count a translation that is not a canonical event, and log the first of each dialect."""
        if self.meter.dialect_bug(dialect) == 1:
            log.error(
                "a bug of the dialect %s: events of route %s break the canonical schema (%s at %s) and are quarantined",
                *(dialect, route.name, fault.code, "/".join(fault.pointer.split("/")[:3]) or "/"),
            )

    def _ids(self, scope: tuple[str, str, str], key: str | None, now: int) -> Callable[[int], str]:
        """Return a function that makes ids for items without one, by their index.

        With an idempotency key the ids are the same in each retry. `scope` is (project, dialect, route name), `now` is
        in milliseconds.
        """
        if key is None:
            return lambda _index: self.new_id(now)
        return partial(numbered, scope, key)


async def _parsed(route: Route, request: Request) -> Submission:
    """Return what a dialect reads of a request; a body of very many values is read in a thread."""
    body = request.body
    if len(body) > SHORT and body.count(b",") > MANY:
        return await asyncio.to_thread(route.parse, request)
    return route.parse(request)


def _settled(outcomes: tuple[Outcome, ...], appended: Appended) -> tuple[tuple[Outcome, ...], dict[str, str]]:
    """Return the final outcomes, and the headers that come of the store's answer. Raises Refusal."""
    headers = {"X-Gateway-Receipt": f"{appended.receipt:x}"} if appended.receipt else {}
    if appended.status is not NEW:
        if appended.status is AppendStatus.CONFLICT:
            raise Refusal(Reason.CONFLICT)
        headers["Idempotency-Replayed"] = "true"
    return appended.applied_to(outcomes), headers


def _forget_frames(problem: Exception) -> None:
    """Let go of the frames that an exception has passed, and of those before it.

    They hold all that was read of a request, and refer to the exception again: a cycle, and collections are rare.
    """
    problem.__cause__ = problem.__context__ = problem.__traceback__ = None


def _refusal(problem: Exception) -> Refusal:
    """Return the refusal for an exception: itself, a store that is unavailable, or a bug."""
    if isinstance(problem, Refusal):
        return problem
    if isinstance(problem, StorageUnavailable):
        return Refusal(Reason.UNAVAILABLE, retry_after=problem.retry_after)
    return Refusal(Reason.INTERNAL)
