"""Reads single quarantined items, with the requests that they came in. Nothing here writes."""

from collections.abc import Iterator

from gateway.dialect.value_class import value_class
from gateway.records.raw_request import RawRequest
from gateway.storage.sqlite.read.log import Reader

RECORD = (
    "SELECT q.id, q.message_id, q.received_at, q.project, q.dialect, q.route, q.verdict, q.item, q.receipt, q.faults, "
    "q.payload, r.method, r.path, CAST(r.query AS BLOB), CAST(r.headers AS BLOB), r.body, r.client_ip, r.site "
    "FROM quarantine q LEFT JOIN requests r ON r.receipt = q.receipt WHERE q.id = ?"
)
IDS = "SELECT id FROM quarantine WHERE verdict = ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id"
SETTLED = "SELECT verdict, position FROM settled WHERE id = ?"


@value_class
class QuarantineRecord:
    """One quarantined item.

    `number` is its id, `index` its index in the request. `received_at` is in milliseconds since the epoch. `verdict` is
    `quarantined` or `filtered`. `faults` is a JSON list of `{"code", "pointer", "detail"}`, `payload` the item's JSON
    with credentials redacted. Items of an older gateway have no `index`, `receipt` and `raw` request.
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


def quarantine_record(reader: Reader, number: int) -> QuarantineRecord | None:
    """Return a quarantined item by its id; None if there is none, or no more. Raises DataDirError."""
    found = reader.query(RECORD, number)
    if not found:
        return None
    *item, method, path, query, headers, body, client_ip, site = found[0]
    number, message_id, received_at, project, dialect, route, verdict, index, receipt, faults, payload = item
    return QuarantineRecord(
        number=number,
        message_id=message_id,
        received_at=received_at,
        project=project,
        dialect=dialect,
        route=route,
        verdict=verdict,
        index=index,
        receipt=receipt,
        faults=faults,
        payload=payload,
        raw=None
        if method is None
        else RawRequest(
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            client_ip=client_ip,
            site=site,
        ),
    )


def quarantine_ids(reader: Reader, verdict: str, project: str | None = None) -> Iterator[int]:
    """Yield the ids of the quarantined items with a verdict, oldest first. Raises DataDirError."""
    return (number for (number,) in reader.query(IDS, verdict, project))


def settled(reader: Reader, number: int) -> str | None:
    """Return how a quarantined item ended, such as `stored at position 7` or `dropped`; None if it did not end."""
    for verdict, position in reader.query(SETTLED, number):
        return f"{verdict} at position {position}" if position else str(verdict)
    return None
