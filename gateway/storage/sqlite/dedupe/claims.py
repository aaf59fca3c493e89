"""Reads what is remembered of requests with an Idempotency-Key."""

import sqlite3
from collections.abc import Iterable

from gateway.storage.contract import Entry
from gateway.storage.plan import Claim
from gateway.storage.sqlite.connection.statements import select_in

IDEMPOTENCY_RECORDS = (
    "SELECT group_concat(hex(digest) || ':' || hex(fingerprint) || ':' || hex(memory) || ':' || coalesce(receipt, 0)) "
    "FROM ("
    "SELECT * FROM claims_current WHERE digest IN (?) UNION ALL SELECT * FROM claims_previous WHERE digest IN (?))"
)


def known_claims(connection: sqlite3.Connection, entries: Iterable[Entry]) -> dict[bytes, Claim]:
    """Return what is remembered of the keys of some entries, by the digest of the key."""
    digests = [entry.idempotency.digest for entry in entries if entry.idempotency is not None]
    records: dict[bytes, Claim] = {}
    for found in select_in(connection, IDEMPOTENCY_RECORDS, digests):
        for line in found.split(","):
            *texts, receipt = line.split(":")
            digest, fingerprint, outcomes = map(bytes.fromhex, texts)
            records[digest] = Claim(fingerprint, outcomes, int(receipt))
    return records
