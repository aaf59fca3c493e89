"""The number of a process among all that write into one database, so that each has rows of its own to count in."""

import secrets
import socket

import attrs

from gateway import __version__
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.tables import LOCK

LOST_AFTER = 60
"""Seconds without a sign of life after which a process's number may be given to another."""
CLAIM = (
    "INSERT INTO gateway.gateways (gateway, owner, host, version, started_at, seen_at, guard) "
    "SELECT free, $1, $2, $3, now(), now(), $1 FROM generate_series(0, 100000) AS free "
    f"WHERE NOT EXISTS (SELECT 1 FROM gateway.gateways taken WHERE taken.gateway = free "
    f"AND taken.seen_at > now() - interval '{LOST_AFTER} seconds') LIMIT 1 "
    "ON CONFLICT (gateway) DO UPDATE SET owner = excluded.owner, host = excluded.host, version = excluded.version, "
    "started_at = excluded.started_at, seen_at = excluded.seen_at, guard = excluded.guard RETURNING gateway"
)
UNGUARDED = (
    "SELECT host, version FROM gateway.gateways WHERE guard IS DISTINCT FROM owner "
    f"AND seen_at > now() - interval '{LOST_AFTER} seconds' LIMIT 1"
)
"""A process of an older version that runs: it stores what is sent of a person who was erased."""
GIVE_NUMBERS = "UPDATE gateway.state SET numbers_given = numbers_given + $1 RETURNING numbers_given - $1"
BLOCK = 32_768
"""How many numbers of quarantined items a process takes at once; more than one request can have items."""


@attrs.define
class Gateway:
    """This process among all: its number, and the numbers of quarantined items that it may still give."""

    number: int
    owner: str = attrs.field(repr=False)
    last_given: int = 0
    end: int = 0

    @classmethod
    async def claim(cls, db: Connection) -> "Gateway":
        """Take the lowest number that no living process has."""
        owner = secrets.token_hex(8)
        await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        return cls(await db.fetchval(CLAIM, owner, socket.gethostname()[:200], __version__), owner)

    async def seen(self, db: Connection) -> None:
        """Show that this process lives. If its number was given to another meanwhile, take a new one."""
        alive = "UPDATE gateway.gateways SET seen_at = now() WHERE gateway = $1 AND owner = $2"
        if await db.execute(alive, self.number, self.owner) != "UPDATE 1":
            await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
            self.number = await db.fetchval(CLAIM, self.owner, socket.gethostname()[:200], __version__)

    async def leave(self, db: Connection) -> None:
        """Give the number back."""
        await db.execute("DELETE FROM gateway.gateways WHERE gateway = $1 AND owner = $2", self.number, self.owner)

    async def reserve(self, session: Session, items: int) -> None:
        """See to it that there are numbers for so many quarantined items after `last_given`.

        In a transaction of its own: if the group is rolled back, the numbers that this object remembers stay taken.
        """
        if self.last_given + items > self.end:
            async with session.transaction() as db:
                first = await db.fetchval(GIVE_NUMBERS, max(BLOCK, items))
            self.last_given, self.end = first, first + max(BLOCK, items)
