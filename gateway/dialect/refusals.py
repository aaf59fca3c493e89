"""The default answer to a rejected request, for vendors without one of their own. Pure."""

import json

from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Reason, Refusal


def default_refuse(_request: Request, refusal: Refusal) -> Response:
    """Return the reason's usual status and `{"error": "<reason>"}`; it never repeats a value that was sent."""
    headers = {"Allow": str(refusal.detail["allowed"])} if refusal.reason is Reason.METHOD_NOT_ALLOWED else {}
    body = json.dumps({"error": refusal.reason.value}).encode()
    return Response(refusal.reason.status, body, headers=headers)
