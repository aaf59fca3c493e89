"""What became of an item or a request: verdicts, faults, refusals. Facts only; dialects turn them into text."""

import enum
from collections.abc import Mapping

import attrs

from gateway.dialect.value_class import value_class

NO_FACTS: Mapping[str, object] = {}


class Verdict(enum.StrEnum):
    """What became of an item: exactly one of these. The words are the same in tables, metrics and documents."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    FILTERED = "filtered"
    REJECTED = "rejected"

    # From before 0.2.
    ACCEPTED = STORED
    INVALID = REJECTED

    @classmethod
    def _missing_(cls, value: object) -> "Verdict | None":
        return cls.REJECTED if value == "refused" else None  # as it was written before 0.2


@value_class
class Fault:
    """Why an item or a body is invalid: a stable code, a JSON pointer to the place, and the facts.

    Codes from schemas are JSON Schema keywords. `required` points at the missing field. The detail of `type` has
    `expected` and `received` (JSON type names), that of a size keyword `limit`, that of `enum` and `const` `allowed`.
    The codes of decode.py are listed there; dialects add their own.

        Fault("type", "/batch/0/userId", {"expected": "string", "received": "number"})
    """

    code: str
    pointer: str = ""
    detail: Mapping[str, object] = NO_FACTS


@value_class
class Outcome:
    """What became of one item. An item that was rejected only because of another one has no faults.

    Of faults of schemas only some of a request are explained; further items have one with the code `invalid`.
    """

    verdict: Verdict
    message_id: str
    faults: tuple[Fault, ...] = ()


@value_class
class Quota:
    """A rate limit after a request: requests allowed, requests left, and when it is full again.

    `reset` is in epoch seconds, rounded up: in how many it comes is `reset - math.ceil(request.received_at / 1000)`.
    """

    limit: int
    remaining: int
    reset: int


class Reason(enum.Enum):
    """Why a whole request was refused. The comment behind each names the facts in the refusal's `detail`.

    `status` is the usual HTTP status, `retryable` says whether the same request may be accepted later. A dialect maps
    only the reasons for which its vendor does something else.
    """

    status: int
    retryable: bool

    def __new__(cls, value: str, status: int, retryable: bool = False) -> "Reason":
        """Make a member whose value is only the word."""
        member = object.__new__(cls)
        member._value_ = value
        member.status, member.retryable = status, retryable
        return member

    NOT_FOUND = "not_found", 404
    METHOD_NOT_ALLOWED = "method_not_allowed", 405  # allowed: "POST, OPTIONS"
    TOO_LARGE = "too_large", 413  # limit: bytes; or most_items, or most_values
    ENCODING = "unsupported_encoding", 415  # encoding: as sent
    TIMEOUT = "body_timeout", 408, True
    NO_CREDENTIAL = "no_credential", 401
    UNKNOWN_CREDENTIAL = "unknown_credential", 401  # kind
    REVOKED_CREDENTIAL = "revoked_credential", 401  # kind
    MISSING_SCOPE = "missing_scope", 403  # required, current: list
    ORIGIN = "origin_not_allowed", 403  # origin, kind
    UNKNOWN_SITE = "unknown_site", 404
    FOREIGN_SITE = "foreign_site", 403
    LIMITED = "rate_limited", 429, True  # limit, window: seconds; with retry_after and quota
    BODY = "body", 400  # the submission's own fault in faults: unreadable, wrong shape, too many items
    INVALID = "invalid", 400  # outcomes: one an item
    IDEMPOTENCY_KEY = "malformed_idempotency_key", 400  # limit: characters
    CONFLICT = "idempotency_conflict", 409
    UNAVAILABLE = "storage_unavailable", 503, True  # with retry_after
    INTERNAL = "internal_error", 500, True


@attrs.frozen(eq=False)
class Refusal(Exception):
    """A request that is answered with an error; nothing of it is stored. `retry_after` is in whole seconds.

    The last five fields are for the gateway's records, not for dialects. `project`, `credential_id` and `site` say
    whose request it was, if it named a credential that is known. `authenticated` says that it had a valid secret of the
    project, `admitted` that it was admitted, be it by a public id.
    """

    reason: Reason
    faults: tuple[Fault, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    detail: Mapping[str, object] = NO_FACTS
    retry_after: int | None = None
    quota: Quota | None = None
    project: str | None = None
    site: str | None = None
    credential_id: str | None = None
    authenticated: bool = False
    admitted: bool = False


class StorageUnavailable(Exception):
    """The store cannot accept anything now; the message says why, `retry_after` when to try again (seconds)."""

    def __init__(self, why: str, retry_after: int = 1) -> None:
        super().__init__(why)
        self.retry_after = retry_after
