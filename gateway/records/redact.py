"""Redacts the credentials in a request before it is kept or logged. Pure.

A public id is as good as none: anybody can send it. So whose request has no valid secret is a stranger, whose other
secrets nobody knows. Everything of it is redacted that is named like a secret.
"""

import json
from collections.abc import Callable, Iterable, Mapping

import orjson

from gateway.dialect import Credential, Dialect
from gateway.dialect.event import compact_json
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Outcome
from gateway.dialect.value_class import value_class
from gateway.records import form_fields, json_strings
from gateway.records.raw_request import RawRequest
from gateway.records.secret_names import COMMON_SECRET_FIELDS, is_address, is_identity, is_secret
from gateway.records.spellings import REDACTED, Secrets, secrets_of

KeepIp = Callable[[str], str | None]
"""Returns what a project keeps of an address; None if it keeps nothing."""

MARGIN = 4096  # characters after a cut that are searched too, so that no secret across the cut is missed
MAX_LINE = 500
NAMELESS_HEADERS = frozenset(
    {"host", "origin", "user-agent", "content-type", "content-length", "content-encoding", "sec-gpc", "dnt"}
)
"""Headers that are kept of a request from somebody who asked for privacy: they name nobody."""
_SCHEMES = ("bearer", "basic")
OURS = frozenset({"code", "expected", "received", "allowed", "kind", "required", "current", "problem", "field", "rule"})
"""The facts of faults that are the gateway's own words, and no client's."""


@value_class
class Redaction:
    """What is redacted in all that is kept of one request: `secrets` wherever they are, and the values of `fields`.

    Secrets are the values of secret credentials, as they are, percent-encoded, in base64 or behind escapes. Fields are
    those that the dialect calls secret. Of a stranger's request the words of headers whose names suggest a secret are
    secrets too, and the fields include those that are commonly secret. Public ids are kept.
    """

    secrets: Secrets
    fields: tuple[str, ...]

    @classmethod
    def of(
        cls, request: Request, dialect: Dialect, credentials: Iterable[Credential], is_stranger: bool = False
    ) -> "Redaction":
        """Return what to redact in a request; a stranger is who has shown no valid secret."""
        secrets = secrets_of(credentials, dialect, request.headers if is_stranger else None, request.variables)
        return cls(secrets, (*dialect.secret_fields, *COMMON_SECRET_FIELDS) if is_stranger else dialect.secret_fields)

    def request(
        self, given: Request, site: str | None = None, keep_ip: KeepIp | None = None, max_body: int | None = None
    ) -> RawRequest:
        """Return a request as it may be kept, with `[redacted]` in the place of each secret.

        Headers whose names suggest a secret or a person, and those among the fields, are redacted whole. `keep_ip`
        shortens the client's address, and leaves out the headers that have it. The body is cut to `max_body` bytes.
        """
        address = given.client_ip
        if keep_ip is not None and address is not None:
            address = keep_ip(address)
        return RawRequest(
            method=given.method,
            path=self.secrets.hide(given.path),
            query=_json(self._query(given.query)),
            headers=_json(self._headers(given.headers, keep_ip is not None)),
            body=self.body(given.body if max_body is None else given.body[: max_body + MARGIN])[:max_body],
            client_ip=address,
            site=site,
        )

    def nameless(self, given: Request, site: str | None = None) -> RawRequest:
        """Return what may be kept of a request from somebody who asked for privacy: nothing that may name a person."""
        headers = {name: value for name, value in given.headers.items() if name.lower() in NAMELESS_HEADERS}
        return RawRequest(
            method=given.method,
            path=self.secrets.hide(given.path),
            query=b"{}",
            headers=_json(self._headers(headers, hides_address=True)),
            body=b"",
            site=site,
        )

    def body(self, given: bytes) -> bytes:
        """Return a body, or the payload of an item, without secrets. What is JSON stays JSON of the same structure."""
        if json_strings.is_json(given):
            return json_strings.hide(given, self.secrets, self.fields)
        return form_fields.hide(given, self.secrets, self.fields)

    def faults(self, given: Iterable[Mapping[str, object]]) -> list[object]:
        """Return faults (`code`, `pointer`, `detail`) without secrets in what a client wrote; our own words stay."""
        return [self._fact(fault) for fault in given]

    def outcomes(self, given: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """Return outcomes whose faults have no secrets. There may be very many, and nearly never is there one."""
        faults = [fault for outcome in given for fault in outcome.faults]
        names = [_unescaped(fault.pointer) for fault in faults]
        if self.secrets.hide_all(names) == names and not any(_has_foreign_words(fault.detail) for fault in faults):
            return given
        return tuple([self._outcome(outcome) if outcome.faults else outcome for outcome in given])

    def item(self, payload: bytes, faults: bytes) -> tuple[bytes, bytes]:
        """Return the payload and the faults (both JSON) of a quarantined item without secrets."""
        return self.body(payload) if payload else b"", compact_json(self.faults(orjson.loads(faults)))

    def text(self, given: str, limit: int | None = None) -> str:
        """Return a text without secrets, cut to `limit` characters."""
        return self.secrets.hide(given if limit is None else given[: limit + MARGIN])[:limit]

    def log_text(self, given: str) -> str:
        """Return a text for one line of a log: secrets redacted, cut to MAX_LINE, control characters escaped."""
        shown = self.text(given, MAX_LINE)
        return shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii")

    def _outcome(self, given: Outcome) -> Outcome:
        faults = []
        for fault in given.faults:
            detail = {name: each if name in OURS else self._fact(each) for name, each in fault.detail.items()}
            faults.append(Fault(fault.code, self._pointer(fault.pointer), detail))
        return Outcome(given.verdict, given.message_id, tuple(faults))

    def _pointer(self, given: str) -> str:
        if "~" in given:
            names = [self.secrets.hide(_unescaped(name)) for name in given.split("/")]
            given = "/".join(name.replace("~", "~0").replace("/", "~1") for name in names)
        return self.secrets.hide(given)

    def _fact(self, value: object) -> object:
        if isinstance(value, str):
            return self.secrets.hide(value)
        if isinstance(value, Mapping):
            facts = {name: each if name in OURS else self._fact(each) for name, each in value.items()}
            pointer = value.get("pointer")
            return {**facts, "pointer": self._pointer(pointer)} if isinstance(pointer, str) else facts
        if isinstance(value, list | tuple):
            return [self._fact(each) for each in value]
        return value

    def _query(self, query: Mapping[str, str]) -> dict[str, str]:
        fields = {field.lower() for field in self.fields}
        hidden = iter(self.secrets.hide_all([text for pair in query.items() for text in pair]))
        kept = dict(zip(hidden, hidden, strict=True))
        return {name: REDACTED if name.lower() in fields else self._value(value) for name, value in kept.items()}

    def _value(self, value: str) -> str:
        """Return the value of a query's field, which may be JSON."""
        if self.secrets.too_many or not value.startswith(("{", "[")):
            return value
        hidden = json_strings.hide(value.encode("utf-8", "surrogatepass"), self.secrets, self.fields)
        return hidden.decode("utf-8", "surrogatepass")

    def _headers(self, headers: Mapping[str, str], hides_address: bool) -> dict[str, str]:
        kept: dict[str, str] = {}
        fields = {field.lower() for field in self.fields}
        for name, value in headers.items():
            name = name.lower()
            if "cookie" in name or (hides_address and is_address(name)):
                continue
            if is_secret(name) or name in fields:
                scheme = value.split(" ", 1)[0]
                value = f"{scheme} {REDACTED}" if scheme.lower() in _SCHEMES else REDACTED
            elif is_identity(name):
                value = REDACTED
            kept.setdefault(name, value)
        return dict(zip(kept, self.secrets.hide_all(kept.values()), strict=True))


def _has_foreign_words(detail: Mapping[str, object]) -> bool:
    """Return whether a fault's facts have words that are not the gateway's own; numbers are none."""
    return any(name not in OURS and not isinstance(value, int | float) for name, value in detail.items())


def _unescaped(pointer: str) -> str:
    """Return the names in a JSON pointer as they are; in one, `/` is written `~1`, and `~` is `~0`."""
    return pointer.replace("~1", "/").replace("~0", "~") if "~" in pointer else pointer


def _json(values: Mapping[str, str]) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError:  # bytes that are not UTF-8 come from the HTTP server as surrogates; `json` escapes them
        return json.dumps(values).encode()
