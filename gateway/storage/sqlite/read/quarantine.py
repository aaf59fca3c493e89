"""Reads single held items, with the requests that they came in. Nothing here writes."""

from collections.abc import Iterator

from gateway.dialect.value_class import value_class
from gateway.records.raw_request import RawRequest
from gateway.storage.sqlite.read.log import Reader

RECORD = (
    "SELECT q.id, q.message_id, q.received_at, q.project, q.dialect, q.route, q.verdict, q.item, q.receipt, q.faults, "
    "q.payload, r.method, r.path, CAST(r.query AS BLOB), CAST(r.headers AS BLOB), r.body, r.client_ip, r.site "
    "FROM quarantine q LEFT JOIN requests r ON r.receipt = q.receipt WHERE q.id = ?"
)
NUMBERS = "SELECT id FROM quarantine WHERE verdict = ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id"
SETTLED = "SELECT verdict, position FROM settled WHERE id = ?"


@value_class
class QuarantineRecord:
    """One held item. `faults` and `payload` are JSON; what an older gateway kept has no request."""

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
    """Return a held item by its number; None where it was never there or has ended."""
    found = reader.ask(RECORD, number)
    if not found:
        return None
    *head, method, path, query, headers, body, client_ip, site = found[0]
    raw = None if method is None else RawRequest(method, path, query, headers, body, client_ip, site)
    head.append(raw)
    return QuarantineRecord(*head)


def quarantine_ids(reader: Reader, verdict: str, project: str | None = None) -> Iterator[int]:
    """Yield the numbers of the held items of a verdict, oldest first."""
    return (number for (number,) in reader.ask(NUMBERS, verdict, project))


def settled(reader: Reader, number: int) -> str | None:
    """Return how a held item ended, in a few words; None where it did not."""
    for verdict, position in reader.ask(SETTLED, number):
        return f"{verdict} at position {position}" if position else str(verdict)
    return None
