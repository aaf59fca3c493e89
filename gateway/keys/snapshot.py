"""All credentials of a store as one value, and from it what requests are checked against. No storage here."""

from typing import Self

import attrs

from gateway.keys.admin import Admin
from gateway.keys.credential import CredentialRecord, KeyFileError
from gateway.keys.keyring import Grant, Keyring


@attrs.frozen
class StoredCredentials:
    """What a store holds: what its admin token is checked against, and each record with the hash of its value.

    The salt of the admin is that of all hashes, so that a move to another store needs no value in the clear.
    """

    admin: Admin
    credentials: tuple[tuple[CredentialRecord, bytes], ...] = attrs.field(repr=False)

    def keyring(self) -> Keyring:
        """Return the snapshot that requests are checked against."""
        return Keyring(self.admin.salt, {hashed: _grant(record) for record, hashed in self.credentials})

    def check_replaceable(self, moved: Self, name: str) -> None:
        """Raise KeyFileError if the store `name` holds this and credentials in it did not come with an earlier move."""
        if self.admin.salt != moved.admin.salt and (self.credentials or self.admin.hash is not None):
            raise KeyFileError(f"{name} has credentials of its own; move into a store without any")


def _grant(record: CredentialRecord) -> Grant:
    return Grant(
        id=record.id,
        project=record.project,
        dialect=record.dialect,
        kind=record.kind,
        scopes=frozenset(record.scopes),
        origins=record.origins,
        revoked=record.revoked_at is not None,
        expires_at=record.expires_at,
        shown=record.masked,
        rotated=record.rotated,
    )
