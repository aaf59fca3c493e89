"""What several families do: send a request that must be refused, or one twice."""

from collections.abc import Callable, Set

from gateway.dialect import Reason
from gateway.testing.bugs import fail_as_logged
from gateway.testing.check import require
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.gate import Gate
from gateway.testing.logged import logged
from gateway.testing.subject import Subject

FEW = 5


def require_refused(
    gate: Gate, what: object, request: SentRequest, how: str, reasons: Set[Reason], remedy: str
) -> Answer:
    """Send a request to a gateway, from which nothing of it may be kept and that refuses it for one of some reasons.

    `what` and `how` name the request in the Failure: "POST /track of a_case" "without its credentials".
    """
    gate.forget()
    with logged() as log:
        [answer] = gate.send(request)
    stored = len(gate.storage.bodies) + len(gate.storage.quarantined)
    require(not stored, f"{what} {how} was answered {answer.status}, and {stored} of its items were kept", remedy)
    found = [each.refusal.reason for each in gate.rejections.pending]
    if Reason.INTERNAL in found or (answer.status == Reason.INTERNAL.status and not found):
        fail_as_logged(f"{what} {how} was answered {answer.status}", log.errors)
    said = f"was refused as {found[0].value}" if found else f"was not refused, but answered {answer.status}"
    names = sorted(reason.value for reason in reasons)
    expected = " or ".join(names) if len(names) < FEW else "a refusal for what the client sent"
    require(found and found[0] in reasons, f"{what} {how} {said}; {expected} was expected", remedy)
    return answer


def sent_twice(gate: Gate, request: SentRequest) -> tuple[Answer, Answer, int]:
    """Send a request twice to a gateway that has stored nothing; return both answers and the number of events."""
    gate.forget()
    first, second = gate.send(request, request)
    return first, second, len(gate.storage.bodies)


def with_gate(run: Callable[[Subject, Gate], None], subject: Subject) -> None:
    """Run a check with a gateway of its own."""
    run(subject, subject.emptied_gate())
