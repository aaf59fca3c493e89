"""Has a store forget which ids it knows, so that the next cases need no store of their own.

That is possible where everything is in tables; elsewhere (`None`) what a gateway knows is partly in its memory.
"""

from collections.abc import Awaitable, Callable

FORGET = "DELETE FROM gateway.keys; DELETE FROM gateway.claims; DELETE FROM gateway.quarantined_keys"


def forgetting(url: str) -> Callable[[], Awaitable[None]] | None:
    """Return what makes the store of a URL forget, beside a gateway that runs; None if nothing does."""
    return (lambda: _forget(url)) if url.partition(":")[0] in ("postgresql", "postgres") else None


async def _forget(url: str) -> None:
    from gateway.storage.postgres.connection.address import Address
    from gateway.storage.postgres.connection.session import Session

    session = Session(Address(url), "gateway check")
    try:
        async with session.transaction() as db:
            await db.execute(FORGET)
    finally:
        await session.close()
