"""Idempotency keys of whole requests (the IETF draft `Idempotency-Key`): scope, fingerprint, record. Pure."""

from collections.abc import Sequence

from gateway.dialect import MAX_CREDENTIAL, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Outcome, Reason, Refusal
from gateway.ingest.ids import digest
from gateway.storage.contract import IdempotencyRecord

HEADER = "idempotency-key"
MAX_LENGTH = 255
# In the place of a credential. Not "", because an id may be as short as "7": then 77 would be the same content as 7.
BLANK = "\0"


def key_of(request: Request) -> str | None:
    """Return the request's key, None if it has none. Raises Refusal if it is empty, too long or not printable ASCII."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    key = key.strip()
    if not key or len(key) > MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise Refusal(Reason.IDEMPOTENCY_KEY, detail={"limit": MAX_LENGTH})
    return key


def record(
    scope: Sequence[str], key: str, request: Request, submission: Submission, outcomes: tuple[Outcome, ...]
) -> IdempotencyRecord:
    """Return what to remember of a request; `scope` is (project, dialect, route name)."""
    return IdempotencyRecord(digest(*scope, key), fingerprint(request, submission), outcomes)


def fingerprint(request: Request, submission: Submission) -> bytes:
    """Return 16 bytes that stand for the request's body and query, whichever of its credentials it shows.

    A client may retry with a new key after a rotation.
    """
    query = [text for pair in request.query.items() for text in pair]
    body = request.body.decode("latin-1")
    for credential in submission.credentials:
        if 0 < len(credential.value) <= MAX_CREDENTIAL:
            spelled = credential.value.encode("utf-8", "surrogatepass").decode("latin-1")
            query = [text.replace(credential.value, BLANK) for text in query]
            body = body.replace(spelled, BLANK)
    return digest(*query, body)
