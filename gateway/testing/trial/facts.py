"""Every refusal and every fault that a dialect may have to answer, with the facts that the contract names. Values only.

Most reasons are there without facts too: a dialect's own `parse` may raise them so.
"""

from collections.abc import Iterator, Mapping

from gateway.dialect import Fault, Outcome, Quota, Reason, Refusal, Verdict

CANARY = "kit-canary-5f0c"
"""Stands where a client's text is among the facts."""
QUOTA = Quota(limit=1, remaining=0, reset=1767323106)

FAULTS = (
    Fault("invalid"),
    Fault("required", "/name"),
    Fault("type", "/name", {"expected": "string", "received": "number"}),
    Fault("type", "", {"expected": "object", "received": "null"}),
    Fault("enum", "/type", {"allowed": ["track", "page"]}),
    Fault("const", "/type", {"allowed": ["track"]}),
    Fault("minLength", "/name", {"limit": 1}),
    Fault("maxProperties", "/properties", {"limit": 10}),
    Fault("anyOf", "", {"branches": [[{"code": "required", "pointer": "/name"}]]}),
    Fault("pattern", "/a~1b/0/...", {}),
    Fault("lone_surrogate", "/name"),
    Fault("lone_surrogate", detail={"field": "user_id"}),
    Fault("nul_in_identifier", detail={"field": "user_id"}),
    Fault("integer_too_long", "/amount"),
    Fault("too_deep", detail={"limit": 250}),
    Fault("unknown_site"),
    Fault("not_canonical", "/context/page/url", {"rule": "type"}),
)
"""Of items: of a schema's keywords, of the gateway, and the one of an item that is not explained."""

BODY_FAULTS = (
    Fault("empty"),
    Fault("malformed", detail={"problem": "Expecting value", "offset": 0}),
    Fault("invalid_utf8", detail={"offset": 0}),
    Fault("too_deep", detail={"limit": 250}),
    Fault("malformed_encoding"),
)
"""Of whole bodies: those of `decode` and of a body that does not inflate."""

_DETAILS: Mapping[Reason, tuple[Mapping[str, object], ...]] = {
    Reason.METHOD_NOT_ALLOWED: ({"allowed": "POST, OPTIONS"},),
    Reason.TOO_LARGE: ({"limit": 2_097_152}, {"most_items": 20_000}, {"most_values": 250_000}),
    Reason.ENCODING: ({"encoding": CANARY},),
    Reason.MISSING_SCOPE: ({"required": "write", "current": ["read"]}, {"required": "write", "current": []}),
    Reason.LIMITED: ({"limit": 1, "window": 60},),
}


def refusals(kinds: tuple[str, ...], own: tuple[Fault, ...] = ()) -> Iterator[tuple[str, Refusal]]:
    """Yield refusals of every reason, each with a name, those of items apart.

    `kinds` are the dialect's kinds of credentials, `own` its faults of whole bodies.
    """
    for reason in Reason:
        if reason is Reason.BODY:
            for fault in (*BODY_FAULTS, *own):
                yield f"BODY with the fault {fault.code}", Refusal(reason, faults=(fault,))
        elif reason is not Reason.INVALID:
            for detail in _details(reason, kinds):
                yield _name(reason, detail), _refusal(reason, detail)


def invalid(items: int) -> Iterator[tuple[str, Refusal]]:
    """Yield refusals of so many items, each time for another fault of the first; the others have none of their own."""
    for fault in FAULTS:
        first = Outcome(Verdict.REJECTED, "m-1", (fault,))
        others = (Outcome(Verdict.REJECTED, f"m-{number}") for number in range(2, items + 1))
        yield f"INVALID with the fault {fault.code}", Refusal(Reason.INVALID, outcomes=(first, *others)[:items])
    yield (
        "INVALID with two faults of each item",
        Refusal(Reason.INVALID, outcomes=(Outcome(Verdict.REJECTED, "m", FAULTS[1:3]),) * items),
    )


def _details(reason: Reason, kinds: tuple[str, ...]) -> tuple[Mapping[str, object], ...]:
    if reason in (Reason.UNKNOWN_CREDENTIAL, Reason.REVOKED_CREDENTIAL):
        return (*({"kind": kind} for kind in kinds), {})
    if reason is Reason.ORIGIN:
        return (*({"origin": f"https://{CANARY}.example", "kind": kind} for kind in kinds), {})
    always = reason in (Reason.METHOD_NOT_ALLOWED, Reason.LIMITED)
    return _DETAILS.get(reason, ()) if always else (*_DETAILS.get(reason, ()), {})


def _refusal(reason: Reason, detail: Mapping[str, object]) -> Refusal:
    if reason is Reason.LIMITED:
        return Refusal(reason, detail=detail, retry_after=60, quota=QUOTA)
    return Refusal(reason, detail=detail, retry_after=1 if reason is Reason.UNAVAILABLE else None)


def _name(reason: Reason, detail: Mapping[str, object]) -> str:
    return f"{reason.name} with {', '.join(detail)}" if detail else f"{reason.name} without facts"
