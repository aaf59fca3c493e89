"""The tables of the schema `gateway`, and their upgrade. Rows are read and written elsewhere.

Anyone may query them; docs/scale.md says what they mean. Every primary key begins with the project, so that the tables
can be distributed by it, and none has a number that all gateways would have to draw from one place:

- `xid` is the transaction that wrote a row (plus `state.xid_offset`), `number` counts within it. Together they are an
  event's position.
- `gateway` is the number of one process, see `gateways`. Counters have a row for each, so that no two wait for a row.
- `generation` is the part of `keys` and `claims` that a row belongs to, see dedupe.py.

Partitions are made and forgotten by partitions.py.
"""

import json
from collections.abc import Sequence

from gateway.storage.moving import unfinished
from gateway.storage.postgres.connection.session import Connection, Session, one
from gateway.storage.postgres.keys.tables import KEY_TABLES, LABELS
from gateway.store_error import EmptyStore, StoreError

LOCK = 0x6761_7465_7761_79  # "gateway": the advisory lock of whoever changes tables
VERSION_1 = (
    "CREATE TABLE gateway.state (single boolean PRIMARY KEY DEFAULT true CHECK (single), generation int NOT NULL, "
    "since timestamptz NOT NULL, xid_offset bigint NOT NULL, numbers_given bigint NOT NULL, "
    # What a move brings along: the generation in which keys of unknown projects are (theirs is empty), the secret of
    # the hashes that stand for keys of quarantined items, and since when there are counters by time.
    "strays int NOT NULL DEFAULT 0, quarantine_secret bytea, counted_since bigint, "
    "identity uuid NOT NULL DEFAULT gen_random_uuid())",
    "INSERT INTO gateway.state (generation, since, xid_offset, numbers_given) "
    "VALUES (1, now() - interval '1 day', 0, 0)",
    "CREATE TABLE gateway.gateways (gateway int PRIMARY KEY, owner text NOT NULL, host text NOT NULL, "
    "version text NOT NULL, started_at timestamptz NOT NULL, seen_at timestamptz NOT NULL)",
    # How far a move into this database is, as JSON.
    "CREATE TABLE gateway.moves (single boolean PRIMARY KEY DEFAULT true CHECK (single), progress text NOT NULL)",
    # The log. `day` is that of the transaction in UTC, by the database's clock. `exact` is the line where jsonb cannot
    # hold it, because of a NUL. `moved_from` is the position that an event had in the store that it was moved from.
    "CREATE TABLE gateway.events (project text NOT NULL, day date NOT NULL, xid bigint NOT NULL, number int NOT NULL, "
    "dialect text, type text, name text, message_id text, user_id text, anonymous_id text, "
    '"timestamp" timestamptz, received_at timestamptz, body jsonb NOT NULL, exact text, moved_from bigint, '
    "PRIMARY KEY (project, xid, number, day)) PARTITION BY RANGE (day)",
    "CREATE INDEX events_by_position ON gateway.events (xid, number)",
    "CREATE INDEX events_by_old_position ON gateway.events (moved_from) WHERE moved_from IS NOT NULL",
    # Which transactions wrote events that were received from `since` to `before`, both included: a row for each minute
    # of a gateway, a sparse index from time to positions. It has no index on what every commit changes.
    "CREATE TABLE gateway.log_times (day date, minute timestamptz, gateway int, first_xid bigint NOT NULL, "
    "last_xid bigint NOT NULL, since timestamptz NOT NULL, before timestamptz NOT NULL, "
    "PRIMARY KEY (day, minute, gateway)) WITH (fillfactor = 50)",
    # `id` begins with the time of receipt. `count` events are at `first` and after it, unless `items` lists them.
    "CREATE TABLE gateway.receipts (project text NOT NULL, id bigint NOT NULL, xid bigint NOT NULL, "
    "first int NOT NULL, count int NOT NULL, received_at timestamptz NOT NULL, dialect text NOT NULL, "
    "route text NOT NULL, items bytea, PRIMARY KEY (project, id)) PARTITION BY RANGE (id)",
    # A move asks for the receipts of some transactions. This index costs a commit nothing that can be measured.
    "CREATE INDEX receipts_by_xid ON gateway.receipts USING brin (xid)",
    # The requests of stored events, compressed, until they expire.
    "CREATE TABLE gateway.raws (project text NOT NULL, receipt bigint NOT NULL, compressed bytea NOT NULL, "
    "PRIMARY KEY (project, receipt)) PARTITION BY RANGE (receipt)",
    "CREATE INDEX raws_by_receipt ON gateway.raws (receipt, project)",
    # What is known: the dedupe keys of events, and the idempotency keys of requests with their answers.
    "CREATE TABLE gateway.keys (project text NOT NULL, key bytea NOT NULL, generation int NOT NULL, "
    "PRIMARY KEY (project, key, generation)) PARTITION BY LIST (generation)",
    "CREATE TABLE gateway.keys_1 PARTITION OF gateway.keys FOR VALUES IN (1)",
    "CREATE TABLE gateway.claims (project text NOT NULL, digest bytea NOT NULL, generation int NOT NULL, "
    "fingerprint bytea NOT NULL, outcomes bytea, receipt bigint, "
    "PRIMARY KEY (project, digest, generation)) PARTITION BY LIST (generation)",
    "CREATE TABLE gateway.claims_1 PARTITION OF gateway.claims FOR VALUES IN (1)",
    "CREATE TABLE gateway.counters (project text, dialect text, verdict text, gateway int, count bigint NOT NULL, "
    "PRIMARY KEY (project, dialect, verdict, gateway)) WITH (fillfactor = 50)",
    "CREATE TABLE gateway.counter_buckets (project text, span int, start bigint, dialect text, verdict text, "
    "gateway int, count bigint NOT NULL, PRIMARY KEY (project, span, start, dialect, verdict, gateway)) "
    "WITH (fillfactor = 50)",
    "CREATE INDEX counter_buckets_by_start ON gateway.counter_buckets (span, start)",
    # The quarantine: a row for each request, whose items have the ids from `id` to `last`. `remaining` counts those
    # that are not in `settled`. `keys` are the items' dedupe keys; those of items that are there are in
    # `quarantined_keys`.
    "CREATE TABLE gateway.quarantined_requests (project text NOT NULL, id bigint NOT NULL, last bigint NOT NULL, "
    "remaining int NOT NULL, size bigint NOT NULL, received_at timestamptz NOT NULL, dialect text NOT NULL, "
    "route text NOT NULL, receipt bigint, body_size bigint, sha256 bytea, items bytea NOT NULL, keys bytea[], "
    "request bytea, PRIMARY KEY (project, id))",
    "CREATE INDEX quarantined_requests_by_id ON gateway.quarantined_requests (id)",
    "CREATE TABLE gateway.quarantined_keys (project text, key bytea, PRIMARY KEY (project, key))",
    "CREATE TABLE gateway.quarantine_sizes (project text, gateway int, bytes bigint NOT NULL, "
    "PRIMARY KEY (project, gateway))",
    "CREATE TABLE gateway.settled (project text NOT NULL, id bigint NOT NULL, verdict text NOT NULL, xid bigint, "
    "number int, at timestamptz NOT NULL, PRIMARY KEY (project, id))",
    "CREATE INDEX settled_by_id ON gateway.settled (id)",
    # The files that came with events, by the SHA-256 of their content.
    "CREATE TABLE gateway.blobs (project text, name text, content bytea NOT NULL, PRIMARY KEY (project, name))",
    # The requests that were answered with an error. `known` are those of projects' own clients.
    "CREATE SEQUENCE gateway.rejected_ids",
    "CREATE TABLE gateway.rejected (project text NOT NULL DEFAULT '', id bigint NOT NULL "
    "DEFAULT nextval('gateway.rejected_ids'), received_at timestamptz NOT NULL, dialect text NOT NULL, route text, "
    "reason text NOT NULL, status int NOT NULL, faults text NOT NULL, method text NOT NULL, path text NOT NULL, "
    "query text NOT NULL, headers text NOT NULL, body bytea NOT NULL, client_ip text, site text, cut boolean NOT NULL, "
    "size bigint NOT NULL, known boolean NOT NULL, replayed text, credential_id text, origin text, request_id text, "
    "PRIMARY KEY (project, id))",
    "CREATE INDEX rejected_by_known ON gateway.rejected (known, id)",
    "CREATE INDEX rejected_by_id ON gateway.rejected (id)",
    "CREATE TABLE gateway.rejected_sizes (known boolean PRIMARY KEY, bytes bigint NOT NULL)",
    "INSERT INTO gateway.rejected_sizes VALUES (false, 0), (true, 0)",
    "CREATE TABLE gateway.rejected_counts (project text, dialect text, gateway int, count bigint NOT NULL, "
    "PRIMARY KEY (project, dialect, gateway))",
    "CREATE TABLE gateway.rejected_buckets (project text, span int, start bigint, dialect text, gateway int, "
    "count bigint NOT NULL, PRIMARY KEY (project, span, start, dialect, gateway))",
    "CREATE INDEX rejected_buckets_by_start ON gateway.rejected_buckets (span, start)",
    *KEY_TABLES,
)
VERSION_2 = (
    *LABELS,
    # How often each credential was used on a day; `day` is in days, `last_used` in milliseconds since the epoch.
    "CREATE TABLE gateway.credential_uses (project text, credential text, day int, requests bigint NOT NULL, "
    "rejected bigint NOT NULL, last_used bigint NOT NULL, PRIMARY KEY (project, credential, day)) "
    "WITH (fillfactor = 50)",
)
BACKUPS = (
    # The backups that were made; `made_at` is in milliseconds since the epoch. `events` is null until one is whole.
    "CREATE TABLE gateway.backups (name text, made_at bigint, events bigint, PRIMARY KEY (name, made_at))",
)
ERASURES = (
    # How many erasures there were: who writes and knows fewer reads them before anything is stored. See erasures.py.
    "ALTER TABLE gateway.state ADD COLUMN erasures int NOT NULL DEFAULT 0, ADD COLUMN erasure_secret bytea",
    # The owner, where the process looks at erasures: older ones do not, and leave what another had here.
    "ALTER TABLE gateway.gateways ADD COLUMN guard text",
    # Who was erased, and which messages: keyed hashes only.
    "CREATE TABLE gateway.erasures (project text, kind text, hash bytea, at bigint NOT NULL, "
    "PRIMARY KEY (project, kind, hash))",
    "CREATE TABLE gateway.erased_messages (project text, hash bytea, PRIMARY KEY (project, hash))",
    # Where events were.
    "CREATE TABLE gateway.erased_positions (project text, xid bigint, number int, PRIMARY KEY (project, xid, number))",
    "CREATE INDEX erased_positions_by_position ON gateway.erased_positions (xid, number)",
    # What an erasure has still to do, if it was killed: tables to vacuum, and files to look for other events of.
    "CREATE TABLE gateway.erasing (project text, kind text, name text, PRIMARY KEY (project, kind, name))",
)
VERSION_3 = (*BACKUPS, *ERASURES)
UPGRADES: tuple[Sequence[str], ...] = (VERSION_1, VERSION_2, VERSION_3)
"""One tuple of statements for each version, never changed once released."""
COMPATIBLE_FROM = 1
"""The oldest version of the code that may run on tables of this version: so far back, gateways go on in an upgrade."""
GUARDED_FROM = 3
"""The oldest version of the code that may run once somebody was erased: older ones would store it again."""
META = (
    "CREATE SCHEMA IF NOT EXISTS gateway",
    "CREATE TABLE IF NOT EXISTS gateway.meta (single boolean PRIMARY KEY DEFAULT true CHECK (single), "
    "version int NOT NULL, compatible_from int NOT NULL)",
    "INSERT INTO gateway.meta (version, compatible_from) VALUES (0, 0) ON CONFLICT DO NOTHING",
)
# After a dump was restored in another cluster, transaction ids begin again: positions must not.
RAISE_OFFSET = (
    "UPDATE gateway.state SET xid_offset = greatest(xid_offset, 1 "
    "+ coalesce((SELECT max(last_xid) FROM gateway.log_times), 0) - pg_current_xact_id()::text::bigint)"
)


async def is_current(session: Session) -> bool:
    """Return whether the tables need no upgrade. Raises one of EXPECTED."""
    async with session.transaction(readonly=True) as db:
        if await db.fetchval("SELECT to_regclass('gateway.meta')") is None:
            return False
        return bool(await db.fetchval("SELECT version >= $1 FROM gateway.meta", len(UPGRADES)))


async def upgrade(
    session: Session, upgrades: Sequence[Sequence[str]] = UPGRADES, compatible_from: int = COMPATIBLE_FROM
) -> None:
    """Create the tables or upgrade them, one transaction for all, while other gateways run or start.

    `session.seconds` must be enough for the whole upgrade. Gateways of an older version go on meanwhile if
    `compatible_from` lets them. Raises StoreError, and one of EXPECTED.
    """
    async with session.transaction() as db:
        await db.execute(f"SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})")
        if await db.fetchval("SELECT to_regclass('gateway.meta')") is None:
            for statement in META:
                await db.execute(statement)
        version, oldest = await one(db, "SELECT version, compatible_from FROM gateway.meta FOR UPDATE")
        _check(session.address.name, version, oldest, len(upgrades))
        for step in upgrades[version:]:
            for statement in step:
                await db.execute(statement)
        if version < len(upgrades):
            await db.execute(
                "UPDATE gateway.meta SET version = $1, compatible_from = $2", len(upgrades), compatible_from
            )
        await db.execute(RAISE_OFFSET)


async def check(db: Connection, name: str) -> None:
    """Raise StoreError if there are no tables, or if they are of a version that this code does not know."""
    if await db.fetchval("SELECT to_regclass('gateway.meta')") is None:
        raise EmptyStore(f"{name} holds no events yet; `gateway serve` makes its tables at its first start")
    version, oldest = await one(db, "SELECT version, compatible_from FROM gateway.meta")
    if version == 0:
        raise EmptyStore(f"{name} holds no events yet; `gateway serve` makes its tables at its first start")
    _check(name, version, oldest, len(UPGRADES))
    if version < len(UPGRADES):
        raise StoreError(f"{name} was made by an older gateway; `gateway serve` upgrades it")
    await one(db, "SELECT generation FROM gateway.state")
    progress = await db.fetchval("SELECT progress FROM gateway.moves")
    if progress is not None and (told := unfinished(json.loads(progress), name)) is not None:
        raise StoreError(told)


def _check(name: str, version: int, oldest: int, known: int) -> None:
    if oldest > known:
        raise StoreError(
            f"{name} was upgraded by a newer gateway to version {version}; this one knows {known}: upgrade it"
        )
