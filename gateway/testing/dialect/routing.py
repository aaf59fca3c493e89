"""Checks of what is answered at each path: by whom, in whose format, and what browsers are told."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

import attrs

from gateway.dialect import Reason, Refusal, Request
from gateway.ingest.cors import ALLOWED
from gateway.ingest.endpoints import PREFIX, SCRIPTS
from gateway.ingest.router import Router
from gateway.testing.check import Check, fail, require
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.samples.chosen import one_of_each_route
from gateway.testing.samples.variants import without_credentials
from gateway.testing.subject import Subject
from gateway.testing.trial.trial import Trial
from gateway.testing.wording import answer_text

ORIGIN = "https://kit.example"
NOWHERE = "no-such-path-of-the-kit"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks."""
    yield Check("routing/an unknown path is answered as `refuse` answers it", partial(_unknown_paths, subject))
    yield Check("routing/another method is answered as `refuse` answers it", partial(_other_methods, subject))
    yield Check("routing/a preflight names every header of a credential", partial(_preflights, subject))
    yield Check("routing/a page may read every answer", partial(_cors, subject))
    yield Check("routing/slashes and the mount change nothing", partial(_spellings, subject))
    yield Check("routing/HEAD is answered as GET, and stores nothing", partial(_head, subject))
    yield Check("routing/a static route answers", partial(_static_routes, subject))
    yield Check("routing/a script is served", partial(_scripts, subject))


def _unknown_paths(subject: Subject) -> None:
    mount, router = f"/{subject.dialect.name}", Router((subject.installed,), {})
    folders = [path.rpartition("/")[0] for route in subject.installed.routes for path in route.paths]
    near = [f"{folder}/{NOWHERE}" for folder in folders if folder]  # beside a path like /count is everybody's
    prefixes = [f"{prefix.rstrip('/')}/{NOWHERE}" for prefix in subject.dialect.prefixes]
    with Trial(subject) as trial:
        for path in dict.fromkeys((*near, *prefixes, f"{mount}/{NOWHERE}")):
            match = router.match("", "POST", path)
            if match is None or path.startswith(PREFIX):
                fail(
                    f"POST {path} was answered by the gateway in a format of its own, although it is beside a path of"
                    " the dialect",
                    "name in Dialect.prefixes what your paths begin with: unknown paths there are answered by `refuse`",
                )
            if match.endpoint is None and not match.allowed:  # else a variable segment takes it
                _require_refused(subject, trial, SentRequest("POST", path), match.path, Refusal(Reason.NOT_FOUND))


def _other_methods(subject: Subject) -> None:
    router = Router((subject.installed,), {})
    with Trial(subject) as trial:
        for path in dict.fromkeys(sample.request.head.path for sample in one_of_each_route(subject)):
            match = router.match("", "DELETE", path)
            if match is None or match.endpoint is not None:
                continue
            allowed = ", ".join((*match.methods, "OPTIONS"))
            refusal = Refusal(Reason.METHOD_NOT_ALLOWED, detail={"allowed": allowed})
            answer = _require_refused(subject, trial, SentRequest("DELETE", path), match.path, refusal)
            if answer.status == 405 and answer.header("Allow") != allowed:
                fail(
                    f"DELETE {path} was answered 405 with Allow: {answer.header('Allow')}, not {allowed}",
                    'have `refuse` return the header `Allow` with `refusal.detail["allowed"]`, or the status that your'
                    " vendor answers in place of 405",
                )


def _require_refused(subject: Subject, trial: Trial, sent: SentRequest, path: str, refusal: Refusal) -> Answer:
    """Fail unless a request is answered as the dialect's `refuse` answers a refusal."""
    what = f"{sent.method} {sent.target}"
    answer = trial.send(what, sent)
    head = sent.head
    request = Request(sent.method, path, {}, head.headers, b"", sent.read().received_at)
    expected = subject.dialect.refuse(request, refusal)
    require(
        (answer.status, answer.body) == (expected.status, expected.body or b"") and answer.status >= 400,
        f"{what} was answered {answer_text(answer)}, and `refuse` gives {answer_text(expected)} for"
        f" {refusal.reason.name}",
        "keep `refuse` pure: the same answer for the same refusal, with a status from 400 on",
    )
    return answer


def _preflights(subject: Subject) -> None:
    listed = {name.lower() for name in (*ALLOWED, *subject.dialect.headers)}
    for sample in subject.samples:
        for name in sample.request.headers:
            without = sample.parse(sample.request.with_header(name, None))
            if isinstance(without, Refusal) or len(without.credentials) < len(sample.submission.credentials):
                require(
                    name.lower() in listed,
                    f"{sample} shows a credential in the header {name}, which a preflight does not allow to browsers",
                    f'name it in the dialect: headers=("{name.lower()}",)',
                )
    for sample in one_of_each_route(subject):
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": sample.request.method}
        request = SentRequest("OPTIONS", sample.request.target, asked)
        [answer] = subject.gate().send(request)
        granted = (answer.header("Access-Control-Allow-Headers") or "").lower().split(", ")
        require(
            answer.status == 204 and listed <= set(granted),
            f"OPTIONS {request.target} was answered {answer.status}, and allows the headers {', '.join(granted)}",
            "leave OPTIONS to the gateway: it answers preflights for every route",
        )


def _cors(subject: Subject) -> None:
    with Trial(subject) as trial:
        for sample in subject.samples:
            bare = without_credentials(sample)
            refused = [] if bare is None else [(f"{sample} without its credentials", bare)]
            for what, request in [(str(sample), sample.request), *refused]:
                answer = trial.send(what, request.with_header("Origin", ORIGIN))
                allowed = answer.header("Access-Control-Allow-Origin")
                require(
                    allowed == ORIGIN,
                    f"{what} with the Origin {ORIGIN} was answered {answer.status} with"
                    f" Access-Control-Allow-Origin: {allowed}",
                    "leave CORS to the gateway: it lets every page read every answer",
                )


def _spellings(subject: Subject) -> None:
    for sample in one_of_each_route(subject):
        path, question, query = sample.request.target.partition("?")
        first: tuple[Answer, list[bytes]] | None = None
        for other in (path, f"{path}/", path.replace("/", "//"), f"/{subject.dialect.name}{path}"):
            request = attrs.evolve(sample.request, target=f"{other}{question}{query}")
            with Trial(subject) as trial:
                answer = trial.send(f"{sample} at {other}", request)
                found = answer, trial.gate.storage.bodies
            first = first or found
            require(
                found == first,
                f"{sample} was answered {answer_text(answer)} at {other}, and {answer_text(first[0])} at {path}, or was"
                " stored otherwise",
                "let the answer depend on the request alone; `request.path` has no doubled or trailing slash,"
                " and no mount",
            )


def _head(subject: Subject) -> None:
    for sample in one_of_each_route(subject):
        if sample.route.method == "GET":
            with Trial(subject) as trial:
                answer = trial.send(f"HEAD {sample}", attrs.evolve(sample.request, method="HEAD"))
                require(
                    answer.status == sample.answer.status and not trial.gate.storage.entries,
                    f"HEAD in the place of {sample} was answered {answer.status}, not {sample.answer.status}",
                    "have `parse` and `render` treat a HEAD as the GET that it stands for",
                )


def _static_routes(subject: Subject) -> None:
    with Trial(subject) as trial:
        for route in subject.dialect.static_routes:
            for path in route.paths:
                for body in (b"", b"\xff", b"[" * 900):
                    what = f"{route.method} {path} (a static route)"
                    trial.send(what, SentRequest(route.method, path, {"Origin": ORIGIN}, body))


def _scripts(subject: Subject) -> None:
    with Trial(subject) as trial:
        for name, script in subject.dialect.scripts.items():
            require(
                quote(name, safe="") == name,
                f"the script {name!a} has a name that cannot stand in an address as it is",
                "name it with letters, digits, `.`, `_` and `-` in Dialect.scripts",
            )
            answer = trial.send(f"GET {SCRIPTS}{name}", SentRequest("GET", f"{SCRIPTS}{name}"))
            require(
                (answer.status, answer.body) == (200, script),
                f"GET {SCRIPTS}{name} was answered {answer.status}, not 200 with the script",
                "give Dialect.scripts the script's bytes",
            )
