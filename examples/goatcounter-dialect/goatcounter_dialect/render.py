"""The answers to requests that were accepted. Each function is named after its route."""

from gateway.dialect import Accepted, Response, Verdict

from goatcounter_dialect import errors


def count(accepted: Accepted) -> Response:
    """Answer 202, or 400 with an error for each hit that was not taken.

    What is not listed was stored, and must not be sent again.
    """
    wrong = {
        str(index): errors.of_hit(outcome.faults)
        for index, outcome in enumerate(accepted.outcomes)
        if outcome.verdict is Verdict.REJECTED
    }
    limits = errors.limits(accepted.request, accepted.quota)
    if wrong:
        return errors.json_response(400, {"errors": dict(sorted(wrong.items()))}, limits)
    return errors.json_response(202, {"status": "ok"}, limits)


def pixel(_accepted: Accepted) -> Response:
    """Answer with the image."""
    return errors.image(200)
