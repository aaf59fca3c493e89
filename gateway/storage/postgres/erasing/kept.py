"""Erases the kept requests of stored events that have a person's id."""

import zlib

from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.erasing.events import DELETE_KEPT, VACUUM, partitions_of, to_do
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.pages import Table, pages

RAWS = Table("raws", "receipt", "receipt, compressed", 100)


async def erase_kept_requests(session: Session, found: Found) -> None:
    """Erase the requests that the person's id stands in, of whomever they are. Raises one of EXPECTED."""
    project = found.person.project
    async for page in pages(session, RAWS, project):
        own = [number for number, compressed in page if found.person.found_in(zlib.decompress(compressed))]
        found.kept_requests.update(own)
        if own and not found.dry_run:
            async with session.transaction() as db:
                await db.execute(DELETE_KEPT, project, own)
                await to_do(db, project, VACUUM, partitions_of("raws", own))
