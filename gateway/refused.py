"""A refused request on its way to the ring: little work when it happens, the rest when it is written. Pure."""

import json

from gateway.blank import kept, text, worn
from gateway.dialect import Dialect, Submission
from gateway.examine import KeepIp
from gateway.message import Request
from gateway.outcome import Fault, Refusal
from gateway.record import record
from gateway.storage.refused import MOST_BODY, Refused

COMMON = (
    *("apiKey", "api_key", "writeKey", "write_key", "clientSecret", "client_secret", "accessToken", "access_token"),
    *("key", "token", "secret", "password", "authorization"),
)


@record
class RefusedNote:
    """What a refusal leaves behind on the path of its answer: references, nothing copied."""

    project: str | None
    dialect: str
    items: int
    spoken: Dialect
    route: str | None
    request: Request
    refusal: Refusal
    submission: Submission
    status: int
    keep_ip: KeepIp | None = None

    def weight(self) -> int:
        """Return about how many bytes of memory it holds."""
        return len(self.request.body) + 2000

    def made(self) -> Refused:
        """Return what is kept of it: credentials blanked, the body cut."""
        request, refusal = self.request, self.refusal
        # A stranger's secret may stand anywhere: nobody has found out yet which of its words is one.
        stranger = self.project is None
        shown = (*self.submission.credentials, *(worn(request.headers) if stranger else ()))
        fields = COMMON if stranger else ()
        raw = kept(request, self.spoken, shown, refusal.site, self.keep_ip, MOST_BODY, fields)
        told: list[dict[str, object]] = [
            {"code": name, "pointer": "", "detail": {name: value}} for name, value in refusal.detail.items()
        ]
        told += [_facts(fault) for fault in refusal.faults]
        for index, outcome in enumerate(refusal.outcomes):
            told += [{"item": index, **_facts(fault)} for fault in outcome.faults]
        faults = text(json.dumps(told, default=str), self.spoken, shown)
        head = (request.received_at, self.project, self.dialect, self.route, refusal.reason.value, self.status)
        return Refused(*head, faults, raw, len(request.body) > MOST_BODY)


def _facts(fault: Fault) -> dict[str, object]:
    return {"code": fault.code, "pointer": fault.pointer, "detail": dict(fault.detail)}
