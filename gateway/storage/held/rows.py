"""Quarantined items as the rows that readers of the quarantine give, whatever the engine. Pure."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from gateway.storage.held.groups import QuarantineFilter, fault_group
from gateway.storage.quarantined_items import StoredItem, decode_items


def listed_row(
    item: StoredItem,
    received_at: int,
    project: str,
    dialect: str,
    route: str,
    receipt: int | None,
    size: int | None,
    sha256: str | None,
) -> dict[str, Any]:
    """Return a row of `Records.quarantine`. `size` and `sha256` (hex) are given where there was no room for it."""
    return {
        "id": item.number,
        "message_id": item.message_id or None,
        "received_at": received_at,
        "project": project,
        "dialect": dialect,
        "route": route,
        "verdict": item.verdict,
        "item": item.index,
        "receipt": None if receipt is None else f"{receipt:x}",
        "faults": item.faults,
        "payload": item.payload or None,
        **({} if size is None else {"kept": False, "size": size, "sha256": sha256}),
    }


def page_of(
    stored: bytes,
    first: int,
    ended: Collection[int],
    before: int | None,
    where: QuarantineFilter,
    head: Sequence[Any],
) -> Iterator[dict[str, Any]]:
    """Yield those items of a stored request that are asked for, the newest first.

    `first` is the lowest number of one, `ended` are those that are no longer there. `head` has what `listed_row` needs
    beside an item.
    """
    for item in reversed(decode_items(stored, first)):
        if item.number in ended or (before is not None and item.number >= before):
            continue
        if where.asks_for_item(item.verdict, fault_group(item.faults)):
            yield listed_row(item, *head)
