"""Who was erased, as a process that writes knows it, and what of a group must not be stored for that.

`state.erasures` counts the erasures. The statement that writes a group compares it with the count that the process
knows: so an erasure that another process has committed is seen at once, and a store without any costs no round trip.
"""

from collections.abc import Sequence

import attrs

from gateway.storage.contract import Entry
from gateway.storage.erasing.guard import Guard, Look
from gateway.storage.plan import HeldBack
from gateway.storage.postgres.connection.session import Connection, one

STATE = "SELECT erasures, erasure_secret FROM gateway.state"
ERASURES = "SELECT project, hash, at FROM gateway.erasures"
ERASED = "SELECT hash FROM gateway.erased_messages WHERE project = ANY ($1::text[]) AND hash = ANY ($2::bytea[])"


@attrs.frozen
class Erasures:
    """How many erasures there were when they were last read, and what they say."""

    count: int = 0
    guard: Guard = attrs.field(factory=Guard)

    @classmethod
    async def load(cls, db: Connection) -> "Erasures":
        """Read them. The count comes first: the rows may be newer than it, and not older."""
        count, secret = await one(db, STATE)
        erasures: dict[str, dict[bytes, int]] = {}
        for project, hashed, at in await db.fetch(ERASURES):
            erasures.setdefault(project, {})[hashed] = at
        return cls(count, Guard(secret or b"", erasures))


async def held_back(db: Connection, entries: Sequence[Entry], look: Look) -> HeldBack:
    """Return what of a group must not be stored."""
    projects = list({entry.project for entry in entries})
    rows = await db.fetch(ERASED, projects, look.hashes) if look.hashes else ()
    return look.held_back([hashed for (hashed,) in rows])
