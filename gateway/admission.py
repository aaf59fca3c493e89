"""Who may come in: credentials first, then what the operator configured as a limit. No await, no clock."""

from collections.abc import Mapping

import attrs

from gateway.auth import Door, Keyring, Principal
from gateway.dialect import Route, Submission, Unfit
from gateway.examine import UNEXPLAINED, refuses
from gateway.limit import Limiter
from gateway.message import Request
from gateway.outcome import Outcome, Quota, Reason, Refusal, Verdict
from gateway.record import record
from gateway.registry import Installed


@record
class Admitted:
    """A sender whose credentials are good, and what its limit says now, where it has one."""

    principal: Principal
    quota: Quota | None = None


@attrs.define
class Gate:
    """`keyring` is swapped whole when credentials change; `limiters` are by dialect."""

    keyring: Keyring
    limiters: Mapping[str, Limiter] = attrs.field(factory=dict)

    def admit(self, installed: Installed, route: Route, request: Request, submission: Submission) -> Admitted:
        """Return who sends a submission, with one request taken off its limit. Raises Refusal."""
        if route.body_first and not submission.credentials:
            _refuse_bad_body(installed, route, submission)
        dialect = installed.dialect.name
        door = Door(dialect, installed.kinds, route.scope, request.headers.get("origin"), request.received_at)
        admitted = Admitted(self.keyring.resolve(submission, door))
        limiter = self.limiters.get(dialect)
        if limiter is not None:
            try:
                admitted = Admitted(
                    admitted.principal, limiter.take(admitted.principal.credential_id, request.received_at)
                )
            except Refusal as refusal:
                raise attributed(refusal, admitted) from refusal
        return admitted


def attributed(refusal: Refusal, admitted: Admitted | None) -> Refusal:
    """Return a refusal that says whom it refused, where that was found out."""
    if admitted is None:
        return refusal
    principal = admitted.principal
    quota = refusal.quota or admitted.quota
    return attrs.evolve(refusal, quota=quota, project=principal.project, site=principal.site)


def _refuse_bad_body(installed: Installed, route: Route, submission: Submission) -> None:
    """Answer an anonymous request's bad body as such, by the compiled check alone."""
    if submission.fault is not None:
        raise Refusal(Reason.BODY, faults=(submission.fault,))
    if route.unfit in (Unfit.REFUSE_ALL, Unfit.REFUSE_INVALID) and refuses(installed, submission.items):
        raise Refusal(
            Reason.INVALID, outcomes=tuple(Outcome(Verdict.INVALID, "", UNEXPLAINED) for _ in submission.items)
        )
