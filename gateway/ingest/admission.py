"""Whether a request is admitted: its credentials, then the rate limit if one is configured. No await, no clock."""

from collections.abc import Mapping

import attrs

from gateway.dialect import Item, OnInvalid, Route, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Outcome, Quota, Reason, Refusal, Verdict
from gateway.dialect.value_class import value_class
from gateway.ingest.items.not_stored import UNEXPLAINED
from gateway.ingest.rate_limit import Limiter
from gateway.ingest.registry import Installed
from gateway.keys.keyring import AccessRequest, Keyring, Principal


@value_class
class Admitted:
    """An admitted sender, and what is left of its rate limit, if it has one."""

    principal: Principal
    quota: Quota | None = None


@attrs.define
class Admission:
    """Admits requests. `keyring` is replaced when credentials change; `limiters` are by dialect name."""

    keyring: Keyring
    limiters: Mapping[str, Limiter] = attrs.field(factory=dict)

    def admit(self, installed: Installed, route: Route, request: Request, submission: Submission) -> Admitted:
        """Return who sends a submission, and take one request off its limit. Raises Refusal."""
        if route.body_first and not submission.credentials:
            _refuse_bad_body(installed, route, submission)
        dialect = installed.dialect.name
        access = AccessRequest(
            dialect=dialect,
            kinds=installed.kinds,
            scope=route.scope,
            origin=request.headers.get("origin"),
            now=request.received_at,
            item_sites=route.item_sites,
        )
        admitted = Admitted(self._principal(route, submission, access))
        limiter = self.limiters.get(dialect)
        if limiter is not None:
            try:
                admitted = Admitted(
                    admitted.principal, limiter.take(admitted.principal.credential_id, request.received_at)
                )
            except Refusal as refusal:
                raise attributed(refusal, admitted) from refusal
        return admitted

    def _principal(self, route: Route, submission: Submission, access: AccessRequest) -> Principal:
        """Return who sends a submission: by its credentials, or on some routes by its Origin. Raises Refusal."""
        try:
            return self.keyring.resolve(submission, access)
        except Refusal as refusal:
            if not route.site_by_origin or refusal.reason is not Reason.NO_CREDENTIAL:
                raise
            found = self.keyring.resolve_origin(access)
            if found is None:
                raise
            return found


def attributed(refusal: Refusal, admitted: Admitted | None) -> Refusal:
    """Return a refusal with the facts about its sender; unchanged if the sender was not admitted."""
    if admitted is None:
        return refusal
    principal = admitted.principal
    quota = refusal.quota or admitted.quota
    return attrs.evolve(
        refusal,
        quota=quota,
        project=principal.project,
        site=principal.site,
        credential_id=principal.credential_id,
        authenticated=principal.authenticated,
        admitted=True,
    )


def _refuse_bad_body(installed: Installed, route: Route, submission: Submission) -> None:
    """Refuse a request without credentials for its bad body, unexplained: only the fast check runs. Raises Refusal."""
    if submission.fault is not None:
        raise Refusal(Reason.BODY, faults=(submission.fault,))
    rejects = route.on_invalid in (OnInvalid.REJECT_REQUEST, OnInvalid.QUARANTINE_UNTRANSLATABLE)
    if rejects and not all(_is_valid(installed, item) for item in submission.items):
        raise Refusal(
            Reason.INVALID, outcomes=tuple(Outcome(Verdict.REJECTED, "", UNEXPLAINED) for _ in submission.items)
        )


def _is_valid(installed: Installed, item: Item) -> bool:
    return item.fault is None and installed.schemas[item.schema].is_valid(item.payload)
