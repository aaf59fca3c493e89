"""A rejected request: what is held until it is written, and the record that is written. Pure."""

import json
import secrets
from collections.abc import Iterator, Mapping

import attrs

from gateway.dialect.contract import Credential, Dialect
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Refusal
from gateway.dialect.value_class import value_class
from gateway.records.raw_request import RawRequest
from gateway.records.redact import KeepIp, Redaction

MAX_BODY = 64 * 1024
MAX_FAULTS = 100
MAX_FAULT_TEXT = 16 * 1024
MAX_ORIGIN = 300  # a scheme, a host name of 253 characters, a port
MAX_REQUEST_ID = 64


@attrs.frozen
class RejectedRequest:
    """One rejected request as it is kept.

    `received_at` is in milliseconds since the epoch. `faults` is a JSON list of `{"code", "pointer", "detail"}`, with
    `item` (an index) where it is an item's. `cut` says that the body is only its first MAX_BODY bytes, or that query
    and body were left out.

    `project` and `credential_id` are those of the first credential of the request that is known, valid or not.
    `is_clients` says that the sender had a valid secret, or a public id whose conditions were met; anybody could have
    sent the others. `request_id` is also in the log line about the request.
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
    """Return the request's `X-Request-Id` if it is short, printable ASCII, else a new id (16 hex digits)."""
    sent = headers.get("x-request-id", "")
    fit = 0 < len(sent) <= MAX_REQUEST_ID and sent.isascii() and sent.isprintable()
    return sent if fit else secrets.token_hex(8)


def is_sent(request_id: str, request: Request) -> bool:
    """Return whether the client chose the id."""
    return request.headers.get("x-request-id") == request_id


@value_class
class PendingRejection:
    """A rejected request until it is written: references only, so that the client does not wait for copies.

    `project` is None if it is not known; `items` is the number of its items, 0 if it could not be parsed. The items
    themselves are not held: decoded, they take many times their bytes. `nameless` says that nothing of it is kept that
    may name a person.
    """

    project: str | None
    dialect: Dialect
    items: int
    route: str | None
    request: Request
    refusal: Refusal
    credentials: tuple[Credential, ...]
    status: int
    request_id: str
    keep_ip: KeepIp | None = None
    nameless: bool = False

    @property
    def is_clients(self) -> bool:
        """Whether a client of the project sent it, not somebody who only knows an old key or a public id."""
        return self.refusal.authenticated or self.refusal.admitted

    def weight(self) -> int:
        """Return about how many bytes of memory it holds."""
        request = self.request
        texts = (*request.headers.values(), *request.query.keys(), *request.query.values())
        return len(request.body) + sum([len(text) for text in texts]) + 200 * len(self.refusal.outcomes) + 2000

    def record(self) -> RejectedRequest:
        """Return what is kept of it: credentials redacted, the body cut to MAX_BODY."""
        request, refusal = self.request, self.refusal
        # Without a valid secret nobody knows which parts of the request are secret: treat everything that may be.
        redaction = Redaction.of(request, self.dialect, self.credentials, is_stranger=not refusal.authenticated)
        if self.nameless:
            raw, cut = redaction.nameless(request, refusal.site), bool(request.body or request.query)
        else:
            raw = redaction.request(request, site=refusal.site, keep_ip=self.keep_ip, max_body=MAX_BODY)
            cut = len(request.body) > MAX_BODY
        return RejectedRequest(
            received_at=request.received_at,
            project=self.project,
            dialect=self.dialect.name,
            route=self.route,
            reason=refusal.reason.value,
            status=self.status,
            faults=json.dumps(redaction.faults(_faults(refusal)), default=str),
            raw=raw,
            cut=cut,
            is_clients=self.is_clients,
            credential_id=refusal.credential_id,
            origin=self._origin(redaction),
            request_id=redaction.text(self.request_id) if is_sent(self.request_id, request) else self.request_id,
        )

    def _origin(self, redaction: Redaction) -> str | None:
        origin = self.request.headers.get("origin")
        if origin is None:
            return None
        return redaction.text(origin, MAX_ORIGIN).encode("utf-8", "backslashreplace").decode()


def _faults(refusal: Refusal) -> list[dict[str, object]]:
    """Return a refusal's facts as faults: its detail, then the body's faults, then the items'.

    At most MAX_FAULTS of them, and MAX_FAULT_TEXT characters of JSON; one more then says how many were left out.
    """
    kept: list[dict[str, object]] = []
    room, left_out = MAX_FAULT_TEXT, 0
    for fault in _all_faults(refusal):
        if len(kept) < MAX_FAULTS and room > 0:
            room -= len(json.dumps(fault, default=str))
            if room >= 0:
                kept.append(fault)
                continue
        left_out += 1
    return [*kept, {"code": "more_faults", "pointer": "", "detail": {"count": left_out}}] if left_out else kept


def _all_faults(refusal: Refusal) -> Iterator[dict[str, object]]:
    for name, value in refusal.detail.items():
        yield {"code": name, "pointer": "", "detail": {name: value}}
    for fault in refusal.faults:
        yield _fault(fault)
    for index, outcome in enumerate(refusal.outcomes):
        for fault in outcome.faults:
            yield {"item": index, **_fault(fault)}


def _fault(fault: Fault) -> dict[str, object]:
    return {"code": fault.code, "pointer": fault.pointer, "detail": dict(fault.detail)}
