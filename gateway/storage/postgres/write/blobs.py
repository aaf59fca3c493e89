"""The files that came with events, addressed by content. Written inside the writer's transaction."""

import hashlib
from collections.abc import Iterable

from gateway.storage.contract import Blob
from gateway.storage.postgres.connection.session import Connection

# Sorted, so that no two transactions that have the same files wait for each other.
INSERT = (
    "INSERT INTO gateway.blobs (project, name, content) "
    "SELECT project, name, content FROM unnest($1::text[], $2::text[], $3::bytea[]) AS blob (project, name, content) "
    "ORDER BY 1, 2 ON CONFLICT DO NOTHING"
)


async def keep(db: Connection, blobs: Iterable[tuple[str, Blob]]) -> None:
    """Keep files, each with its project; one that exists is not written again.

    Raises ValueError if a content does not match its name.
    """
    files = {(project, blob.name): blob.content for project, blob in blobs}
    for (_, name), content in files.items():
        if hashlib.sha256(content).hexdigest() != name:
            raise ValueError(f"the content of blob {name} is not what its name says")
    await db.execute(INSERT, [project for project, _ in files], [name for _, name in files], list(files.values()))
