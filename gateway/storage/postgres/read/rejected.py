"""Reads the rejected requests, and marks those that were replayed. gateway/storage/postgres/rejected.py writes them."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from gateway.records.raw_request import RawRequest
from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.read.reader import Reader
from gateway.store_error import StoreError

PAGE = 500
NAMES = (
    *("id", "received_at", "project", "dialect", "route", "reason", "status", "method", "path", "client_ip"),
    *("credential_id", "origin", "request_id", "cut", "replayed", "faults"),
)
LISTED = ", ".join(NAMES).replace("received_at", "(extract(epoch FROM received_at) * 1000)::bigint")
EVERY_PROJECT = f"SELECT {LISTED} FROM gateway.rejected WHERE id > $1 ORDER BY id LIMIT {PAGE}"
ONE_PROJECT = f"SELECT {LISTED} FROM gateway.rejected WHERE id > $1 AND project = $2 ORDER BY id LIMIT {PAGE}"
ONE = f"SELECT {LISTED}, query, headers, body, site FROM gateway.rejected WHERE id = $1"
MARK = "UPDATE gateway.rejected SET replayed = $1 WHERE id = $2 AND replayed IS NULL"


async def rejected_requests(reader: Reader, project: str | None) -> AsyncIterator[dict[str, Any]]:
    """See Records. Ids are in the order in which gateways wrote, a second apart."""
    after = 0
    while True:
        if project is None:
            page = await reader.query(EVERY_PROJECT, after)
        else:
            page = await reader.query(ONE_PROJECT, after, project)
        for row in page:
            after = row[0]
            yield named(row)
        if len(page) < PAGE:
            return


async def rejected_request(reader: Reader, number: int) -> tuple[dict[str, Any], RawRequest] | None:
    """See Records."""
    rows = await reader.query(ONE, number)
    if not rows:
        return None
    known = named(rows[0][: len(NAMES)])
    query, headers, body, site = rows[0][len(NAMES) :]
    raw = RawRequest(
        method=known["method"],
        path=known["path"],
        query=query.encode(),
        headers=headers.encode(),
        body=body,
        client_ip=known["client_ip"],
        site=site,
    )
    return known, raw


async def mark_rejected(session: Session, number: int, how: str) -> None:
    """See Records."""
    try:
        async with session.transaction() as db:
            await db.execute(MARK, how, number)
    except EXPECTED as error:
        raise StoreError(f"cannot write {session.address.name}: {reason(error)}") from error


def named(row: Sequence[Any]) -> dict[str, Any]:
    """Return a row of LISTED as a dict by column name."""
    known = dict(zip(NAMES, row, strict=True))
    return {**known, "project": known["project"] or None}
