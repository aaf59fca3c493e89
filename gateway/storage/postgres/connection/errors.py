"""What the errors of asyncpg and of the network mean. No SQL here."""

import asyncio
import os

import asyncpg

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Broken

EXPECTED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, asyncio.TimeoutError)
"""What a statement or a connection fails with. Anything else is a bug."""
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,  # killed by an administrator, shutting down, starting up
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # it has become a standby
    OSError,
    asyncio.TimeoutError,
)
"""The connection is gone, or of no use."""
AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.UniqueViolationError)
"""The transaction was rolled back because of another one; nothing is wrong with it, and it can be tried again."""
AT_FAULT = ("22", "54")
"""The classes of errors that a value leads to: no such value, or one beyond a limit of the server."""
MAX_TEXT = 300


def reason(error: BaseException) -> str:
    """Return what is wrong in one line, without what a client sent: only the first line of the server's message."""
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncpg.InternalClientError):  # asyncpg tells of its own state, which helps nobody
        return "the connection was lost"
    if isinstance(error, ConnectionError) and error.errno:  # asyncio has words of its own for it, uvloop the system's
        return os.strerror(error.errno)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = (str(error) or repr(error)).splitlines() or [repr(error)]
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"{lines[0][:MAX_TEXT]}; use the role that owns the database, or its schema gateway"
    return lines[0][:MAX_TEXT]


def is_lost(error: BaseException) -> bool:
    """Return whether the connection is gone or of no use, so that a new one may do."""
    if isinstance(error, ValueError | asyncpg.QueryCanceledError):  # a value that cannot be encoded; a slow statement
        return False
    return isinstance(error, LOST)


def classify(error: Exception) -> Exception:
    """Return what an error means to group commit: Broken, StorageUnavailable, or itself if an entry is at fault."""
    if is_lost(error):
        return Broken(f"the database cannot be reached: {reason(error)}")
    if isinstance(error, asyncpg.PostgresError) and str(error.sqlstate)[:2] not in AT_FAULT:
        return StorageUnavailable(f"the database cannot be written: {reason(error)}")
    return error
