"""Rejections that are short to write, for checks of what keeps them."""

import time

from gateway.dialect import Reason, Refusal, Request
from gateway.records.rejected_request import PendingRejection
from gateway.testing.engine.given.toy import TOY


def rejection(
    project: str | None = "shop",
    *,
    items: int = 1,
    size: int = 1000,
    received_at: int | None = None,
    admitted: bool = True,
    path: str = "/x",
) -> PendingRejection:
    """Return a request that was rejected now, or at a time in milliseconds since the epoch."""
    at = time.time_ns() // 1_000_000 if received_at is None else received_at
    return PendingRejection(
        project=project,
        dialect=TOY,
        items=items,
        route="r",
        request=Request("POST", path, {}, {}, b"x" * size, at),
        refusal=Refusal(Reason.INVALID, project=project, admitted=admitted and project is not None),
        credentials=(),
        status=400,
        request_id="r-1",
    )
