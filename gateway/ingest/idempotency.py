"""What a request-level Idempotency-Key means (IETF draft): its scope, its fingerprint, what is remembered. Pure."""

import json
from collections.abc import Sequence

from gateway.dialect import Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Outcome, Reason, Refusal, Verdict
from gateway.ingest.ids import digest
from gateway.storage.contract import IdempotencyRecord

HEADER = "idempotency-key"
MAX_LENGTH = 255
# Not nothing: a public id may be as short as "7", and 77 would be the same content as 7. No JSON holds this one.
BLANK = "\0"


def key_of(request: Request) -> str | None:
    """Return the request's key, if it has one. Raises Refusal on one that is empty, too long or not ASCII."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    key = key.strip()
    if not key or len(key) > MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise Refusal(Reason.IDEMPOTENCY_KEY, detail={"limit": MAX_LENGTH})
    return key


def record(
    scope: Sequence[str], key: str, request: Request, submission: Submission, outcomes: bytes
) -> IdempotencyRecord:
    """Return what to remember of a request under its key; the scope is (project, dialect, route name)."""
    return IdempotencyRecord(digest(*scope, key), fingerprint(request, submission), outcomes)


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """Return outcomes as they are kept: for `recall`, and for the receipt."""
    encoded = [[outcome.verdict.value, outcome.message_id, _faults(outcome)] for outcome in outcomes]
    # Not orjson: the id of an item that was not fit may hold what it cannot write.
    return json.dumps(encoded).encode()


def fingerprint(request: Request, submission: Submission) -> bytes:
    """Return a digest of the inflated body and the query; credentials are blanked: a rotated key is the same caller."""
    query = [text for pair in request.query.items() for text in pair]
    body = request.body.decode("latin-1")
    for credential in submission.credentials:
        if credential.value:
            spelled = credential.value.encode("utf-8", "surrogatepass").decode("latin-1")
            query = [text.replace(credential.value, BLANK) for text in query]
            body = body.replace(spelled, BLANK)
    return digest(*query, body)


def decode_outcomes(outcomes: bytes) -> tuple[Outcome, ...]:
    """Return the outcomes that were remembered, for the same answer once more."""
    return tuple(
        Outcome(Verdict(verdict), message_id, tuple(Fault(*fault) for fault in faults))
        for verdict, message_id, faults in json.loads(outcomes)
    )


def _faults(outcome: Outcome) -> list[tuple[str, str, dict[str, object]]]:
    return [(fault.code, fault.pointer, dict(fault.detail)) for fault in outcome.faults]
