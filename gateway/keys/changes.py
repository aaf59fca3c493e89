"""What adding, updating, revoking and rotating change of the stored credentials, as values that every engine writes.

Pure but for randomness; no storage here.
"""

from collections.abc import Sequence
from typing import Self

import attrs

from gateway.dialect import CredentialKind, Dialect
from gateway.keys.credential import (
    CredentialRecord,
    InvalidCredential,
    NewCredential,
    UnknownCredential,
    check_project,
    checked_label,
    checked_origins,
    checked_scopes,
    masked,
    new_id,
    new_value,
    normalized,
)
from gateway.keys.expiry import Expiry, checked_expiry
from gateway.keys.keyring import digest


@attrs.frozen
class HashedValue:
    """A credential's value as it is shown once, and what is kept of it: `masked` (see CredentialRecord) and `hash`."""

    shown: str = attrs.field(repr=False)
    masked: str | None
    hash: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, salt: bytes, dialect: str, kind: CredentialKind, value: str | None = None) -> Self:
        """Hash a value, or a new random one. Raises InvalidCredential on a value that no client could send."""
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
    """A checked wish to add a credential; what is None stays as it is in a credential that exists."""

    project: str
    dialect: Dialect
    kind: CredentialKind
    value: HashedValue
    scopes: tuple[str, ...] | None
    origins: tuple[str, ...] | None
    label: str | None
    expires: Expiry | None

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
        label: str | None,
        expires: Expiry | None,
    ) -> Self:
        """Check what a person entered. Raises InvalidCredential."""
        check_project(project)
        named = None if scopes is None else checked_scopes(dialect, scopes)
        hosts = None if origins is None else checked_origins(origins)
        words = None if label is None else checked_label(label)
        hashed = HashedValue.of(salt, dialect.name, kind, value)
        return cls(project, dialect, kind, hashed, named, hosts, words, expires)

    def change(self, existing: CredentialRecord | None, now: int) -> Change:
        """Return what to write, where `existing` has the value's hash already; `now` is in milliseconds.

        Raises InvalidCredential on a value that belongs to another project, was revoked or rotated, or has expired.
        """
        if existing is not None:
            return self._updated(existing, now)
        record = CredentialRecord(
            id=new_id(),
            project=self.project,
            dialect=self.dialect.name,
            kind=self.kind.name,
            masked=self.value.masked,
            scopes=tuple(self.dialect.scopes) if self.scopes is None else self.scopes,
            origins=self.origins or (),
            created_at=now,
            label=self.label or "",
            expires_at=checked_expiry(self.expires, now),
        )
        return Change(record, added=record, value=self.value)

    def _updated(self, existing: CredentialRecord, now: int) -> Change:
        kind = existing.kind
        if existing.project != self.project:
            raise InvalidCredential(f"this {kind} already belongs to project {existing.project}, as {existing.id}")
        if existing.revoked_at is not None or existing.rotated:
            ended = "rotated" if existing.revoked_at is None else "revoked"
            raise InvalidCredential(
                f"this {kind} was {ended} ({existing.id}) and cannot be added again; use another value"
            )
        named = KeyUpdate(scopes=self.scopes, origins=self.origins, label=self.label, expires=self.expires)
        record = named.applied_to(existing, now)
        if record.status(now) == "expired":
            hint = f"`gateway keys update {existing.id} --expires never` lets it work again"
            raise InvalidCredential(f"this {kind} has expired ({existing.id}); {hint}")
        return Change(record, updated=record, value=self.value)


@attrs.frozen(kw_only=True)
class KeyUpdate:
    """A checked wish to change a credential; what is None stays as it is. Empty origins are any."""

    label: str | None = None
    scopes: tuple[str, ...] | None = None
    origins: tuple[str, ...] | None = None
    expires: Expiry | None = None

    @classmethod
    def checked(
        cls,
        dialect: Dialect | None,
        *,
        label: str | None = None,
        scopes: Sequence[str] | None = None,
        origins: Sequence[str] | None = None,
        expires: Expiry | None = None,
    ) -> Self:
        """Check what a person entered. The scopes need the credential's `dialect`. Raises InvalidCredential."""
        if scopes is not None and dialect is None:
            raise InvalidCredential("its dialect is not installed, so its scopes cannot be changed")
        return cls(
            label=None if label is None else checked_label(label),
            scopes=None if scopes is None or dialect is None else checked_scopes(dialect, scopes),
            origins=None if origins is None else checked_origins(origins),
            expires=expires,
        )

    def change(self, record: CredentialRecord, now: int) -> Change:
        """Return what to write. Of a credential that was revoked or rotated, only the label can change.

        `now` is in milliseconds. Raises InvalidCredential.
        """
        is_only_label = (self.scopes, self.origins, self.expires) == (None, None, None)
        if not is_only_label and (record.revoked_at is not None or record.rotated):
            raise InvalidCredential(f"{record.id} is {record.status(now)}; only its label can be changed")
        changed = self.applied_to(record, now)
        return Change(changed, updated=None if changed == record else changed)

    def applied_to(self, record: CredentialRecord, now: int) -> CredentialRecord:
        """Return the record with its new content. Raises InvalidCredential on an end that is not in the future."""
        return attrs.evolve(
            record,
            label=record.label if self.label is None else self.label,
            scopes=record.scopes if self.scopes is None else self.scopes,
            origins=record.origins if self.origins is None else self.origins,
            expires_at=record.expires_at if self.expires is None else checked_expiry(self.expires, now),
        )


def revocation(record: CredentialRecord, now: int) -> Change:
    """Return what to write to revoke a credential for good: nothing if it is revoked already."""
    if record.revoked_at is not None:
        return Change(record)
    revoked = attrs.evolve(record, revoked_at=now)
    return Change(revoked, updated=revoked)


def rotation(old: CredentialRecord, value: HashedValue, now: int, grace: int) -> Change:
    """Return what to write to replace a credential; its old value works for `grace` more seconds.

    An end that it has is its successor's too, and no grace goes beyond it. `now` is in milliseconds. Raises
    InvalidCredential unless the credential is active.
    """
    status = old.status(now)
    if status != "active":
        raise InvalidCredential(f"{old.id} is {status}; only an active credential can be rotated")
    end = now + grace * 1000
    ending = attrs.evolve(old, expires_at=min(end, old.expires_at or end), rotated=True)
    successor = attrs.evolve(old, id=new_id(), masked=value.masked, created_at=now)
    return Change(successor, updated=ending, added=successor, value=value)


def unknown_id(key_id: str) -> UnknownCredential:
    """Return the error for an id that no credential has."""
    return UnknownCredential(f"there is no credential {key_id!r}; `gateway keys list` shows them")
