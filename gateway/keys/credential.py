"""What a credential's record and value look like: the record, made values, checks, hints. Pure but for randomness."""

import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Sequence

import attrs

from gateway.dialect import CredentialKind, Dialect
from gateway.keys.origins import origin_of

MAX_CHARACTERS = 512
HINTED_FROM = 16  # four characters of a shorter secret would give too much of it away
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class KeyFileError(Exception):
    """A request about credentials that cannot be met; the message is one line for the person who made it."""


@attrs.frozen
class CredentialRecord:
    """What the key file says of one credential. Times are milliseconds since the epoch.

    `hint` is the whole value of a public kind; of a long secret it is `...` and its end.
    """

    id: str
    project: str
    dialect: str
    kind: str
    masked: str | None
    scopes: tuple[str, ...]
    origins: tuple[str, ...]
    created_at: int
    revoked_at: int | None = None
    expires_at: int | None = None

    def status(self, now: int) -> str:
        """Return `active`, `expiring` (rotated, in its grace), `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is None:
            return "active"
        return "expiring" if now < self.expires_at else "expired"


@attrs.frozen
class NewCredential:
    """A credential with its value, which is known at this moment only."""

    record: CredentialRecord
    value: str = attrs.field(repr=False)


def new_id() -> str:
    """Return an id for a new record."""
    return "key_" + secrets.token_hex(6)


def new_value(kind: CredentialKind) -> str:
    """Return a new random value in the kind's form."""
    return kind.template.replace("{token}", secrets.token_hex(24)).replace("{uuid}", str(uuid.uuid4()))


def normalized(kind: CredentialKind, value: str) -> str:
    """Return the one spelling under which a value is kept. Raises KeyFileError on what no client could ever send."""
    for spelling in (value, kind.normalize(value)):
        if not spelling.strip():
            raise KeyFileError(f"the value of the {kind.name} is empty")
        if len(spelling) > MAX_CHARACTERS:
            raise KeyFileError(
                f"the value of the {kind.name} has {len(spelling)} characters; {MAX_CHARACTERS} are the most"
            )
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in spelling):
            raise KeyFileError(f"the value of the {kind.name} has control characters or is not UTF-8")
        if spelling != spelling.strip():
            raise KeyFileError(f"the value of the {kind.name} begins or ends with a blank")
    return spelling


def masked(kind: CredentialKind, value: str) -> str | None:
    """Return what may be kept of a value in the clear."""
    if kind.public:
        return value
    return f"...{value[-4:]}" if len(value) >= HINTED_FROM else None


def check_project(name: str) -> None:
    """Raise KeyFileError on a name that would be a nuisance in a file name, a metric or a command line."""
    if not _PROJECT.fullmatch(name):
        raise KeyFileError(f"{name!r} is no name for a project: up to 64 letters, digits, '.', '_' and '-'")


def checked_scopes(dialect: Dialect, scopes: Iterable[str]) -> tuple[str, ...]:
    """Return scopes in the dialect's order, each once. Raises KeyFileError on one that it does not have."""
    named = set(scopes)
    unknown = sorted(named - set(dialect.scopes))
    if unknown:
        there = f"there is: {', '.join(dialect.scopes)}" if dialect.scopes else "it has none"
        raise KeyFileError(f"{dialect.name} has no scope {unknown[0]!r}; {there}")
    return tuple(scope for scope in dialect.scopes if scope in named)


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return allowed origins as hosts, each once. Raises KeyFileError."""
    try:
        return tuple(dict.fromkeys(origin_of(origin) for origin in origins))
    except ValueError as error:
        raise KeyFileError(f"an origin is a host: {error}") from None
