"""What adding, revoking and rotating change of the stored credentials, as values that every engine writes.

Pure but for randomness; no storage here.
"""

from collections.abc import Sequence
from typing import Self

import attrs

from gateway.dialect import CredentialKind, Dialect
from gateway.keys.credential import (
    CredentialRecord,
    KeyFileError,
    NewCredential,
    check_project,
    checked_origins,
    checked_scopes,
    masked,
    new_id,
    new_value,
    normalized,
)
from gateway.keys.keyring import digest


@attrs.frozen
class HashedValue:
    """A credential's value as it is shown once, and what is kept of it: `masked` (see CredentialRecord) and `hash`."""

    shown: str = attrs.field(repr=False)
    masked: str | None
    hash: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, salt: bytes, dialect: str, kind: CredentialKind, value: str | None = None) -> Self:
        """Hash a value, or a new random one. Raises KeyFileError on a value that no client could send."""
        shown = new_value(kind) if value is None else value
        spelling = normalized(kind, shown)
        return cls(shown, masked(kind, spelling), digest(salt, dialect, kind.name, spelling))


@attrs.frozen
class Change:
    """What an engine writes: `updated` is a stored record with its new content, `added` a new record under `value`.

    Either may be missing. `record` is the one that the operation returns.
    """

    record: CredentialRecord
    updated: CredentialRecord | None = None
    added: CredentialRecord | None = None
    value: HashedValue | None = None

    @property
    def created(self) -> NewCredential:
        """The record that the operation returns, with the value that is shown once."""
        assert self.value is not None, "a change that has no value creates no credential"
        return NewCredential(self.record, self.value.shown)


@attrs.frozen
class Addition:
    """A checked wish to add a credential; None as scopes or origins leaves those of an existing one as they are."""

    project: str
    dialect: Dialect
    kind: CredentialKind
    value: HashedValue
    scopes: tuple[str, ...] | None
    origins: tuple[str, ...] | None

    @classmethod
    def checked(
        cls,
        salt: bytes,
        project: str,
        dialect: Dialect,
        kind: CredentialKind,
        value: str | None,
        scopes: Sequence[str] | None,
        origins: Sequence[str] | None,
    ) -> Self:
        """Check what a person entered. Raises KeyFileError."""
        check_project(project)
        named = None if scopes is None else checked_scopes(dialect, scopes)
        hosts = None if origins is None else checked_origins(origins)
        return cls(project, dialect, kind, HashedValue.of(salt, dialect.name, kind, value), named, hosts)

    def change(self, existing: CredentialRecord | None, now: int) -> Change:
        """Return what to write, where `existing` has the value's hash already; `now` is in milliseconds.

        Raises KeyFileError on a value that belongs to another project, or that was revoked or rotated.
        """
        if existing is not None:
            return self._updated(existing)
        record = CredentialRecord(
            id=new_id(),
            project=self.project,
            dialect=self.dialect.name,
            kind=self.kind.name,
            masked=self.value.masked,
            scopes=tuple(self.dialect.scopes) if self.scopes is None else self.scopes,
            origins=self.origins or (),
            created_at=now,
        )
        return Change(record, added=record, value=self.value)

    def _updated(self, existing: CredentialRecord) -> Change:
        kind = existing.kind
        if existing.project != self.project:
            raise KeyFileError(f"this {kind} already belongs to project {existing.project}, as {existing.id}")
        if existing.revoked_at is not None or existing.expires_at is not None:
            ended = "rotated" if existing.revoked_at is None else "revoked"
            raise KeyFileError(f"this {kind} was {ended} ({existing.id}) and cannot be added again; use another value")
        record = attrs.evolve(
            existing,
            scopes=existing.scopes if self.scopes is None else self.scopes,
            origins=existing.origins if self.origins is None else self.origins,
        )
        return Change(record, updated=record, value=self.value)


def revocation(record: CredentialRecord, now: int) -> Change:
    """Return what to write to revoke a credential for good: nothing if it is revoked already."""
    if record.revoked_at is not None:
        return Change(record)
    revoked = attrs.evolve(record, revoked_at=now)
    return Change(revoked, updated=revoked)


def rotation(old: CredentialRecord, value: HashedValue, now: int, grace: int) -> Change:
    """Return what to write to replace a credential; its old value works for `grace` more seconds.

    `now` is in milliseconds. Raises KeyFileError unless the credential is active.
    """
    status = old.status(now)
    if status != "active":
        raise KeyFileError(f"{old.id} is {status}; only an active credential can be rotated")
    ending = attrs.evolve(old, expires_at=now + grace * 1000)
    successor = attrs.evolve(old, id=new_id(), masked=value.masked, created_at=now)
    return Change(successor, updated=ending, added=successor, value=value)


def unknown_id(key_id: str) -> KeyFileError:
    """Return the error for an id that no credential has."""
    return KeyFileError(f"there is no credential {key_id!r}; `gateway keys list` shows them")
