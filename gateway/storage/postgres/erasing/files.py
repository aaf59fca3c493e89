"""Erases the files that came with a person's events, unless another event has them too."""

from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.erasing.events import FILE, VACUUM, to_do
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.scan import Texts, candidates, days
from gateway.storage.postgres.erasing.waiting import wait_for_open

NAMES = (
    "SELECT name FROM gateway.erasing todo WHERE project = $1 AND kind = $2 "
    "AND EXISTS (SELECT 1 FROM gateway.blobs WHERE blobs.project = todo.project AND blobs.name = todo.name) ORDER BY 1"
)
DONE = "DELETE FROM gateway.erasing WHERE project = $1 AND kind = $2 AND name = $3"
DELETE = "DELETE FROM gateway.blobs WHERE project = $1 AND name = $2"
NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + xid_offset FROM gateway.state"
SECONDS = 5.0
"""How long a file that is being deleted waits for the transactions that may just have found it there."""
FOREVER = 1 << 62


class _InUse(Exception):
    """Another event has the file."""


async def erase_files(session: Session, other: Session, found: Found) -> None:
    """Erase the files that were noted with the events. `other` is a session beside the one that deletes.

    Raises one of EXPECTED.
    """
    project = found.person.project
    async with session.transaction(readonly=True) as db:
        names = [name for (name,) in await db.fetch(NAMES, project, FILE)]
        below: int = await db.fetchval(NEXT)
    for name in names:
        if await _is_in_use(other, project, name, 0, below) or await _erase(session, other, found, name, below):
            async with session.transaction() as db:
                await db.execute(DONE, project, FILE, name)


async def _erase(session: Session, other: Session, found: Found, name: str, since: int) -> bool:
    """Delete a file that no event of transactions before `since` has. Return whether it is settled.

    An event with the same file may come at any time, and its writer sees that the file is there. So the file is deleted
    first: whoever comes then waits for the end of this transaction, and writes it again. Then those are waited for who
    came before, and their events are looked at.
    """
    project, waiting = found.person.project, list[str]()
    try:
        async with session.transaction() as db:
            await db.execute(DELETE, project, name)
            await to_do(db, project, VACUUM, ["blobs"])
            waiting = await wait_for_open(other, SECONDS, beside=await db.fetchval("SELECT pg_backend_pid()"))
            if waiting or await _is_in_use(other, project, name, since, FOREVER):
                raise _InUse
    except _InUse:
        if waiting:
            found.left.append(f"a file stays, because {waiting[0]} has a transaction open; run the command again")
        return not waiting
    found.counts["files"] += 1
    return True


async def _is_in_use(session: Session, project: str, name: str, since: int, below: int) -> bool:
    for day in await days(session):
        async for _ in candidates(session, project, day, Texts.of([name]), since=since, below=below):
            return True
    return False
