"""KeyStore: what every engine's store of credentials is asked. Values are stored as hashes only. No engine here."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gateway.dialect import CredentialKind, Dialect
from gateway.keys.admin import Admin
from gateway.keys.changes import KeyUpdate
from gateway.keys.credential import CredentialRecord, NewCredential
from gateway.keys.expiry import Expiry
from gateway.keys.keyring import Keyring
from gateway.keys.snapshot import StoredCredentials


def unseen(_: object) -> None:
    """Show nothing: for a caller that shows a new value later, or never."""


class KeyStore(Protocol):
    """The credentials and the admin token of a store. Every engine passes the checks of gateway/testing/engine.

    Each change is one transaction. Raises KeyFileError with one line for the operator. Its caller makes one call after
    the other, never two at the same time.
    """

    async def add(
        self,
        project: str,
        dialect: Dialect,
        kind: CredentialKind,
        *,
        now: int,
        value: str | None = None,
        scopes: Sequence[str] | None = None,
        origins: Sequence[str] | None = None,
        label: str | None = None,
        expires: Expiry | None = None,
        show: Callable[[NewCredential], None] = unseen,
    ) -> NewCredential:
        """Add a credential, with a new random value if none is given; `now` is in milliseconds since the epoch.

        A new credential without `scopes` gets all scopes of its dialect; without `origins` it works from everywhere,
        and without `expires` for ever. A value that the project already has keeps its id, and what is given replaces
        the old. `show` is called before the change is made; if it raises, nothing changes: a value that nobody saw is
        of no use. Raises KeyFileError on a value that belongs to another project, or that was revoked or rotated or has
        expired.
        """
        ...

    async def list(self) -> tuple[CredentialRecord, ...]:
        """Return every credential, revoked ones included, oldest first."""
        ...

    async def get(self, key_id: str) -> CredentialRecord:
        """Return one credential. Raises KeyFileError on an unknown id."""
        ...

    async def update(self, key_id: str, update: KeyUpdate, *, now: int) -> CredentialRecord:
        """Change what a credential may do, and return it; `now` is in milliseconds.

        Raises KeyFileError on an unknown id, and on what cannot be changed (see KeyUpdate).
        """
        ...

    async def revoke(self, key_id: str, *, now: int) -> CredentialRecord:
        """Revoke a credential for good, and return it. Revoking it again changes nothing. Raises KeyFileError."""
        ...

    async def rotate(
        self,
        key_id: str,
        kind: CredentialKind,
        *,
        now: int,
        grace: int = 0,
        show: Callable[[NewCredential], None] = unseen,
    ) -> NewCredential:
        """Add a successor with a new value; the old value works for `grace` more seconds.

        `now` is in milliseconds; for `show` see `add`. Raises KeyFileError unless the credential is active.
        """
        ...

    async def load(self) -> Keyring:
        """Return the snapshot that requests are checked against."""
        ...

    async def admin(self) -> Admin:
        """Return what the admin token is checked against."""
        ...

    async def new_admin_token(self, show: Callable[[str], None] = unseen) -> str:
        """Create and return a new admin token; the previous one stops working. For `show` see `add`."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Make what the block does one change: nobody else changes anything before its end, an exception undoes it.

        So two gateways that start at once make one set of first credentials: what one block reads, no other changes.
        Values that are made inside a block are shown after it.
        """
        ...

    async def stored(self) -> StoredCredentials:
        """Return everything as it is stored, to be moved to another store."""
        ...

    async def replace(self, stored: StoredCredentials) -> None:
        """Put what another store had in the place of all that is here, as one change: the same values work afterwards.

        Running it again with the same does no harm. Raises KeyFileError if this store has credentials that were not
        moved here from there: what they open would be lost.
        """
        ...
