"""Requests and outcomes to ask a dialect's own functions for an answer: what they return is what clients get. Pure.

A dialect of somebody else's may fail on what it has never seen; then there is no sample, and its document says less.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from gateway.dialect.contract import Accepted, OnInvalid, Route, StaticRoute
from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Fault, Outcome, Quota, Reason, Refusal, Verdict
from gateway.ingest.registry import Installed

TIME = 1767323045678
"""When every sample is received: 2026-01-02T03:04:05.678Z. The same document comes out each time."""
ID = "00000000-0000-7000-8000-000000000001"
PROJECT = "default"
PLACEHOLDER = "YOUR_CREDENTIAL"
"""Stands for a credential in an example."""


def request_of(route: Route | StaticRoute, body: bytes = b"", query: Mapping[str, str] | None = None) -> Request:
    """Return a request for an endpoint at its first path."""
    paths = (*route.paths, *route.mount_only_paths) if isinstance(route, Route) else route.paths
    return Request(route.method, paths[0], query or {}, {}, body, received_at=TIME)


def accepted(route: Route, example: object) -> Response | None:
    """Return the answer to an example of which every item is stored; None if the route does not read it so."""
    is_query = route.method in ("GET", "HEAD")
    query = {name: str(value) for name, value in example.items()} if is_query and isinstance(example, dict) else {}
    request = request_of(route, b"" if is_query else orjson.dumps(example), query)
    try:
        submission = route.parse(request)
        outcomes = tuple(Outcome(Verdict.STORED, item.message_id or ID) for item in submission.items)
        return route.render(Accepted(request, submission, outcomes, PROJECT))
    except Exception:  # somebody else's code
        return None


def refused(installed: Installed, route: Route) -> Iterator[tuple[Reason, Response | None]]:
    """Yield each reason for which a request to a route may be refused, and the answer."""
    refuse = route.refuse or installed.dialect.refuse
    request = request_of(route, b"{}" if route.method != "GET" else b"")
    for reason in reasons(installed, route):
        try:
            yield reason, refuse(request, refusal(installed, route, reason))
        except Exception:  # somebody else's code
            yield reason, None


def static(route: StaticRoute) -> Response | None:
    """Return what an endpoint that stores nothing answers."""
    try:
        return route.answer(request_of(route))
    except Exception:  # somebody else's code
        return None


def reasons(installed: Installed, route: Route) -> list[Reason]:
    """Return the reasons for which a request to a route may be refused."""
    never = {Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED}
    if route.scope is None:
        never.add(Reason.MISSING_SCOPE)
    if not any(kind.is_site for kind in installed.kinds.values()):
        never |= {Reason.UNKNOWN_SITE, Reason.FOREIGN_SITE}
    if route.on_invalid in (OnInvalid.QUARANTINE, OnInvalid.REJECT_ITEM):
        never.add(Reason.INVALID)
    return [reason for reason in Reason if reason not in never]


def refusal(installed: Installed, route: Route, reason: Reason) -> Refusal:
    """Return a refusal with the facts that one of this reason has."""
    kind = installed.dialect.kinds[0].name
    facts: dict[Reason, dict[str, Any]] = {
        Reason.TOO_LARGE: {"limit": installed.dialect.body_cap},
        Reason.ENCODING: {"encoding": "br"},
        Reason.UNKNOWN_CREDENTIAL: {"kind": kind},
        Reason.REVOKED_CREDENTIAL: {"kind": kind},
        Reason.MISSING_SCOPE: {"required": route.scope, "current": []},
        Reason.ORIGIN: {"origin": "https://elsewhere.example", "kind": kind},
        Reason.LIMITED: {"limit": 1000, "window": 60},
        Reason.IDEMPOTENCY_KEY: {"limit": 255},
    }
    malformed = Fault("malformed", detail={"problem": "Expecting value", "offset": 0})
    return Refusal(
        reason,
        faults=(malformed,) if reason is Reason.BODY else (),
        outcomes=(_invalid(installed, route),) if reason is Reason.INVALID else (),
        detail=facts.get(reason, {}),
        retry_after=30 if reason is Reason.LIMITED else 1 if reason is Reason.UNAVAILABLE else None,
        quota=Quota(1000, 0, TIME // 1000 + 30) if reason is Reason.LIMITED else None,
    )


def _invalid(installed: Installed, route: Route) -> Outcome:
    """Return the outcome of an empty object, by the first of the route's schemas that does not accept it."""
    for name in route.schemas:
        faults = installed.schemas[name].explain({})
        if faults:
            return Outcome(Verdict.REJECTED, ID, faults)
    return Outcome(Verdict.REJECTED, ID, (Fault("type", detail={"expected": "object", "received": "array"}),))
