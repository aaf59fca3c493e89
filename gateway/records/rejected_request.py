"""A rejected request: what its rejection leaves behind at once, and the record that is made of it later. Pure."""

import json
import secrets
from collections.abc import Mapping

import attrs

from gateway.dialect.contract import Credential, Dialect, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Refusal
from gateway.dialect.value_class import value_class
from gateway.records import redact
from gateway.records.raw_request import RawRequest
from gateway.records.redact import KeepIp

MAX_BODY = 64 * 1024
MAX_ORIGIN = 300  # a scheme, a host name of 253 characters, a port
MAX_REQUEST_ID = 64
COMMON_SECRET_FIELDS = (
    *("apiKey", "api_key", "writeKey", "write_key", "clientSecret", "client_secret", "accessToken", "access_token"),
    *("key", "token", "secret", "password", "authorization"),
)


@attrs.frozen
class RejectedRequest:
    """One rejected request as it is kept.

    `received_at` is in milliseconds since the epoch. `faults` is a JSON list of `{"code", "pointer", "detail"}`, with
    `item` (an index) where it is an item's. `cut` says that the body is only its first MAX_BODY bytes.

    `project` and `credential_id` are those of the first credential of the request that is known, valid or not.
    `is_clients` says that it was a valid secret, or a public id that was good; anybody can send all others.
    `request_id` is in the log line about the request too.
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
    is_clients: bool
    credential_id: str | None
    origin: str | None
    request_id: str


def request_id_of(headers: Mapping[str, str]) -> str:
    """Return the id that a request brought in `X-Request-Id`, if it is fit for a log, else a new one."""
    sent = headers.get("x-request-id", "")
    fit = 0 < len(sent) <= MAX_REQUEST_ID and sent.isascii() and sent.isprintable()
    return sent if fit else secrets.token_hex(8)


@value_class
class PendingRejection:
    """What a rejection hands over while its answer waits: references, nothing copied or redacted yet.

    `project` is whose it was, where that was found out; `items` how many it brought, as far as they could be told
    apart; `request_id` what finds it in the log.
    """

    project: str | None
    dialect: Dialect
    items: int
    route: str | None
    request: Request
    refusal: Refusal
    submission: Submission
    status: int
    request_id: str
    keep_ip: KeepIp | None = None

    @property
    def is_clients(self) -> bool:
        """Whether a client of the project sent it, and not somebody who only knows an old key or a public id."""
        return self.refusal.authenticated or self.refusal.admitted

    def weight(self) -> int:
        """Return about how many bytes of memory it holds."""
        return len(self.request.body) + 2000

    def record(self) -> RejectedRequest:
        """Return what is kept of it: credentials redacted, the body cut."""
        request, refusal = self.request, self.refusal
        # A stranger's secret may stand anywhere: nobody has found out yet which of its words is one. Who sends no valid
        # secret is a stranger, whatever else he knows.
        is_stranger = not refusal.authenticated
        hidden = (*self.submission.credentials, *(redact.header_secrets(request.headers) if is_stranger else ()))
        raw = redact.request(
            request,
            self.dialect,
            hidden,
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
            faults=redact.text(json.dumps(_faults(refusal), default=str), self.dialect, hidden),
            raw=raw,
            cut=len(request.body) > MAX_BODY,
            is_clients=self.is_clients,
            credential_id=refusal.credential_id,
            origin=self._origin(hidden),
            request_id=redact.text(self.request_id, self.dialect, hidden),
        )

    def _origin(self, hidden: tuple[Credential, ...]) -> str | None:
        origin = self.request.headers.get("origin")
        if origin is None:
            return None
        shown = redact.text(origin, self.dialect, hidden)[:MAX_ORIGIN]
        return shown.encode("utf-8", "backslashreplace").decode()


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
