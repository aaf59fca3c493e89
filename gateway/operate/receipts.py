"""Receipts for people: what happened to each item of one request, with its faults explained."""

from typing import Any

from gateway.operate.explain import explain
from gateway.storage.records import Records


async def receipt(records: Records, receipt_id: str) -> dict[str, Any] | None:
    """Return a receipt by the id that the client got, with a `sentence` in each fault; None for an unknown id.

    The keys are those of `Records.receipt`.
    """
    found = await records.receipt(receipt_id)
    if found is not None:
        explain_items(found)
    return found


def explain_items(receipt: dict[str, Any]) -> None:
    """Add a `sentence` to each fault of a receipt."""
    for item in receipt["items"]:
        for fault in item.get("faults", ()):
            fault["sentence"] = explain(fault["code"], fault["pointer"], fault["detail"])
