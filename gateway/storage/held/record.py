"""One quarantined item as those who show or replay it have it, whatever the engine. Pure."""

from collections.abc import Mapping
from typing import Any, Self

from gateway.dialect.value_class import value_class
from gateway.records.raw_request import RawRequest
from gateway.storage.quarantined_items import StoredItem


@value_class
class QuarantineRecord:
    """One quarantined item.

    `number` is its id, `index` its index in the request. `received_at` is in milliseconds since the epoch. `verdict` is
    `quarantined` or `filtered`. `faults` is a JSON list of `{"code", "pointer", "detail"}`, `payload` the item's JSON
    with credentials redacted. `message_id` and `payload` are empty where only the request has them. Items of an older
    gateway have no `index`, `receipt` and `raw` request.

    If there was no room for the item, `kept` is False, it has no `payload` and no `raw` request, and `size` and
    `sha256` (in hex) are those of its request's body. If its client asked for privacy it is the same, without `sha256`.
    """

    number: int
    message_id: str
    received_at: int
    project: str
    dialect: str
    route: str
    verdict: str
    index: int | None
    receipt: int | None
    faults: str
    payload: str
    raw: RawRequest | None
    kept: bool = True
    size: int | None = None
    sha256: str | None = None

    @classmethod
    def of(
        cls,
        item: StoredItem,
        *,
        received_at: int,
        project: str,
        dialect: str,
        route: str,
        receipt: int | None,
        raw: RawRequest | None,
        size: int | None = None,
        sha256: str | None = None,
    ) -> Self:
        """Return a stored item with what is known of its request. With a `size` there was no room for it."""
        return cls(
            number=item.number,
            message_id=item.message_id,
            received_at=received_at,
            project=project,
            dialect=dialect,
            route=route,
            verdict=item.verdict,
            index=item.index,
            receipt=receipt,
            faults=item.faults,
            payload=item.payload,
            raw=raw,
            kept=size is None,
            size=size,
            sha256=sha256,
        )


def as_quarantined(known: Mapping[str, Any], raw: RawRequest, index: int, message_id: str) -> QuarantineRecord:
    """Return one item of a rejected request in the form of a quarantined one, for the replay."""
    return QuarantineRecord(
        number=0,
        message_id=message_id,
        received_at=known["received_at"],
        project=known["project"],
        dialect=known["dialect"],
        route=known["route"] or "",
        verdict="rejected",
        index=index,
        receipt=None,
        faults="[]",
        payload="null",
        raw=raw,
    )
