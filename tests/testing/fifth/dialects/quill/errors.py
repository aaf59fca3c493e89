"""Refusals in the vendor's format: `{"refused": "no_credential"}`."""

import orjson

from gateway.dialect import Reason, Refusal, Request, Response


def refuse(_request: Request, refusal: Refusal) -> Response:
    """Return the reason's name, and `Allow` with 405."""
    allowed = refusal.detail.get("allowed")
    headers = {"Allow": str(allowed)} if refusal.reason is Reason.METHOD_NOT_ALLOWED and allowed else {}
    return Response(refusal.reason.status, orjson.dumps({"refused": refusal.reason.value}), headers=headers)
