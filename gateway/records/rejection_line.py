"""The line in the log about a rejected request, its facts, and which of them say the same. Pure."""

from collections.abc import Hashable

from gateway.dialect.contract import Dialect, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Refusal
from gateway.records.redact import MAX_LINE, OURS, Redaction
from gateway.records.rejected_request import is_sent

SHOWN_FAULTS = 3


def kind_of(request: Request, refusal: Refusal, dialect: str, route: str | None) -> Hashable:
    """Return what rejections have in common that are told once and then counted.

    Nothing in it is a client's own text: a stranger could make each request another kind.
    """
    faults = _faults(refusal)
    return (
        dialect,
        route,
        refusal.reason,
        faults[0].code if faults else None,
        refusal.project,
        refusal.credential_id,
        "origin" in request.headers,
    )


def describe(
    request: Request, refusal: Refusal, dialect: Dialect, submission: Submission, request_id: str
) -> tuple[str, dict[str, object]]:
    """Return one line for the log about a rejected request, without its secrets, and the same as facts.

    tranthor POST /track: invalid; required at /event; project shop; key key_3; request 5f0c2a9d41b7e863
    """
    redaction = Redaction.of(request, dialect, submission.credentials, is_stranger=True)
    shown = redaction.log_text
    method, path = shown(request.method), shown(request.path)
    places = [f"{fault.code} at {shown(fault.pointer) or '/'}" for fault in _faults(refusal)[:SHOWN_FAULTS]]
    detail = {name: value if name in OURS else shown(str(value)) for name, value in refusal.detail.items()}
    origin = request.headers.get("origin")
    whose = {
        "project": refusal.project,
        "key": refusal.credential_id,
        "origin": None if origin is None else shown(origin),
        # An id that the client did not send is ours, and never looks like a secret.
        "request": shown(request_id) if is_sent(request_id, request) else request_id,
    }
    why = "; ".join([refusal.reason.value, *places, *(f"{name} {value}" for name, value in detail.items())])
    told = [f"{name} {value}" for name, value in whose.items() if value and not (name == "origin" and name in detail)]
    # Cut off separately, so that the id is there even after a long path.
    line = "; ".join([f"{dialect.name} {method} {path}: {why}"[:MAX_LINE], "; ".join(told)[:MAX_LINE]])
    known = {
        "dialect": dialect.name,
        "method": method,
        "path": path,
        "reason": refusal.reason.value,
        "faults": places or None,
        "project": refusal.project,
        "key": refusal.credential_id,
        "origin": whose["origin"],
        "request_id": whose["request"],
    }
    return line, known


def _faults(refusal: Refusal) -> list[Fault]:
    return [fault for outcome in refusal.outcomes for fault in outcome.faults] or list(refusal.faults)
