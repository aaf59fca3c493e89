"""A rejected request: what its rejection leaves behind at once, and the record that is made of it later. Pure."""

import json

import attrs

from gateway.dialect.contract import Dialect, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Refusal
from gateway.dialect.value_class import value_class
from gateway.records import redact
from gateway.records.raw_request import RawRequest
from gateway.records.redact import KeepIp

MAX_BODY = 64 * 1024
COMMON_SECRET_FIELDS = (
    *("apiKey", "api_key", "writeKey", "write_key", "clientSecret", "client_secret", "accessToken", "access_token"),
    *("key", "token", "secret", "password", "authorization"),
)


@attrs.frozen
class RejectedRequest:
    """One rejected request as it is kept.

    `received_at` is in milliseconds since the epoch. `faults` is a JSON list of `{"code", "pointer", "detail"}`, with
    `item` (an index) where it is an item's. `cut` says that the body is only its first MAX_BODY bytes.
    """

    received_at: int
    project: str | None
    dialect: str
    route: str | None
    reason: str
    status: int
    faults: str
    raw: RawRequest
    cut: bool


@value_class
class PendingRejection:
    """What a rejection hands over while its answer waits: references, nothing copied or redacted yet.

    `project` is whose it was, where that was found out; `items` how many it brought, as far as they could be told
    apart.
    """

    project: str | None
    dialect: Dialect
    items: int
    route: str | None
    request: Request
    refusal: Refusal
    submission: Submission
    status: int
    keep_ip: KeepIp | None = None

    def weight(self) -> int:
        """Return about how many bytes of memory it holds."""
        return len(self.request.body) + 2000

    def record(self) -> RejectedRequest:
        """Return what is kept of it: credentials redacted, the body cut."""
        request, refusal = self.request, self.refusal
        # A stranger's secret may stand anywhere: nobody has found out yet which of its words is one.
        is_stranger = self.project is None
        secrets = (*self.submission.credentials, *(redact.header_secrets(request.headers) if is_stranger else ()))
        raw = redact.request(
            request,
            self.dialect,
            secrets,
            site=refusal.site,
            keep_ip=self.keep_ip,
            max_body=MAX_BODY,
            fields=COMMON_SECRET_FIELDS if is_stranger else (),
        )
        return RejectedRequest(
            received_at=request.received_at,
            project=self.project,
            dialect=self.dialect.name,
            route=self.route,
            reason=refusal.reason.value,
            status=self.status,
            faults=redact.text(json.dumps(_faults(refusal), default=str), self.dialect, secrets),
            raw=raw,
            cut=len(request.body) > MAX_BODY,
        )


def _faults(refusal: Refusal) -> list[dict[str, object]]:
    """Return a refusal's facts as faults: its details, the body's faults, the items'."""
    found: list[dict[str, object]] = [
        {"code": name, "pointer": "", "detail": {name: value}} for name, value in refusal.detail.items()
    ]
    found += [_fault(fault) for fault in refusal.faults]
    for index, outcome in enumerate(refusal.outcomes):
        found += [{"item": index, **_fault(fault)} for fault in outcome.faults]
    return found


def _fault(fault: Fault) -> dict[str, object]:
    return {"code": fault.code, "pointer": fault.pointer, "detail": dict(fault.detail)}
