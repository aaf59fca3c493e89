"""Checks of `refuse`: whatever the gateway has to refuse, there is an answer that clients understand."""

from collections.abc import Callable, Iterator
from functools import partial

import attrs

from gateway.dialect import Fault, Reason, Refusal, Request, Response, Route, Submission
from gateway.testing.bugs import fail_in
from gateway.testing.check import Check, fail, require
from gateway.testing.corpus.message import NOW
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import with_body
from gateway.testing.subject import Subject
from gateway.testing.trial import facts, hostile
from gateway.testing.trial.wellformed import REMEDY, flaw_of

TRIED_AGAIN = (408, 425, 429)
"""Statuses after which clients try again; so they do after each from 500 on."""
SHORT = 8
"""Characters of a credential that may stand in an answer by accident."""

MARKUP = "<svg onload=kit()>"

Refuse = Callable[[Request, Refusal], Response]


@attrs.frozen
class _Refused:
    """A refusal of one sample's request, and the answer. `route` is None for the dialect's own `refuse`."""

    what: str
    route: Route | None
    sample: Sample
    refusal: Refusal
    response: Response


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks."""
    yield Check("refusals/every reason has an answer", partial(_every_reason, subject))
    yield Check("refusals/the status says whether to try again", partial(_statuses, subject))
    yield Check("refusals/no credential is repeated", partial(_credentials, subject))
    yield Check("refusals/no markup is repeated in a page", partial(_markup, subject))


def _every_reason(subject: Subject) -> None:
    for each in _all(subject):
        flaw = flaw_of(each.response)
        if flaw is not None:
            fail(f"{each.what} was answered with {flaw}", REMEDY)
        again = _refused(subject, each.route, each.sample, each.what, each.refusal)
        require(
            again.response == each.response,
            f"{each.what} was answered otherwise the second time",
            "keep `refuse` pure: no clock, no counter, nothing at random",
        )


def _statuses(subject: Subject) -> None:
    for each in _all(subject):
        status, reason = each.response.status, each.refusal.reason
        if _is_pixel(each.route) and status < 300 and (not reason.retryable or reason.name == "TIMEOUT"):
            continue
        if reason.retryable:
            require(
                status in TRIED_AGAIN or status >= 500,
                f"{each.what} was answered {status}: a client takes that for the end, and does not try again",
                f"answer it with {', '.join(map(str, TRIED_AGAIN))} or a 5xx, whatever the route:"
                " only then is nothing lost",
            )
        else:
            require(
                400 <= status < 500,
                f"{each.what} was answered {status}, although a retry cannot help",
                f"answer it with {reason.status} or another 4xx. Only a route with method GET and a `refuse` of its own"
                " (a pixel) may answer 2xx to what is wrong for good",
            )


def _credentials(subject: Subject) -> None:
    for each in _all(subject):
        sent = {part for credential in each.sample.submission.credentials for part in _parts(credential.value)}
        text = f"{dict(each.response.headers)} {(each.response.body or b'').decode('utf-8', 'replace')}"
        repeated = [part for part in sent if part in text]
        require(
            not repeated,
            f"{each.what} was answered with the credential that was sent: {ascii(text)[1:-1][:300]}",
            "leave it out of the text of `refuse`: answers are logged and shown, by whomever",
        )


def _parts(credential: str) -> list[str]:
    """Return the texts that show a credential: itself, and what stands behind a scheme (`Bearer ...`)."""
    words = credential.split()
    return [part for part in (credential, *(words[1:] if len(words) == 2 else ())) if len(part) > SHORT]


def _markup(subject: Subject) -> None:
    request = Request("GET", f"/{MARKUP}", {MARKUP: MARKUP}, {"user-agent": MARKUP, "origin": MARKUP}, b"", NOW)
    for refuse in (subject.dialect.refuse, *(route.refuse for route in subject.installed.routes if route.refuse)):
        for reason, detail in ((Reason.NOT_FOUND, {}), (Reason.ENCODING, {"encoding": MARKUP})):
            response = refuse(request, Refusal(reason, detail=detail))
            is_page = "html" in response.content_type or "xml" in response.content_type
            require(
                not is_page or MARKUP.encode() not in (response.body or b""),
                f"a request with {MARKUP} in its path and headers, refused for {reason.name}, was answered with it in"
                f" {response.content_type}: a link would run scripts in the gateway's name",
                "escape what was sent (`html.escape`), or answer text/plain",
            )


def _all(subject: Subject) -> Iterator[_Refused]:
    """Yield every refusal of a request to each route, and to none, with its answer."""
    kinds, routes = tuple(subject.installed.kinds), set[str]()
    for sample in subject.samples:
        own = tuple(_own_faults(sample))
        given = [*facts.refusals(kinds, own), *facts.invalid(len(sample.submission.items))]
        for name, refusal in given:
            what = f"{sample}, refused for {name}"
            if sample.route.name not in routes:
                yield _refused(subject, None, sample, f"{what} by the dialect's `refuse`,", refusal)
            if refusal.reason.name not in ("NOT_FOUND", "METHOD_NOT_ALLOWED"):
                yield _refused(subject, sample.route, sample, f"{what},", refusal)
        routes.add(sample.route.name)


def _refused(subject: Subject, route: Route | None, sample: Sample, what: str, refusal: Refusal) -> _Refused:
    refuse: Refuse = subject.dialect.refuse if route is None or route.refuse is None else route.refuse
    try:
        return _Refused(what, route, sample, refusal, refuse(sample.read, refusal))
    except Exception as problem:
        fail_in("refuse", what.rstrip(","), problem)


def _own_faults(sample: Sample) -> Iterator[Fault]:
    """Yield the dialect's own faults of whole bodies: one for each code that an odd body has."""
    found: dict[str, Fault] = {}
    for body in hostile.bodies(sample.request.body):
        submission = sample.parse(with_body(sample.request, body))
        if isinstance(submission, Submission) and submission.fault is not None:
            found.setdefault(submission.fault.code, submission.fault)
    yield from found.values()


def _is_pixel(route: Route | None) -> bool:
    """Return whether a route's answer is looked at by nobody: an image in a page."""
    return route is not None and route.refuse is not None and route.method == "GET"
