"""One credential: its record, new random values, what may be shown of a value, and checks of what people enter.

Pure but for randomness.
"""

import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Sequence

import attrs

from gateway.dialect import MAX_CREDENTIAL, CredentialKind, Dialect
from gateway.keys.origins import origin_of
from gateway.keys.status import status
from gateway.printable import first_hidden

MAX_LABEL = 80
"""Characters of a label."""
MIN_MASKED_CHARACTERS = 16
"""Of a shorter secret nothing is shown: its last four characters would give away too much."""
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BLANK = frozenset(map(chr, (*range(0xFE00, 0xFE10), 0x2800)))
"""What stands in texts that people read and so is not hidden there: variation selectors, Braille without a dot."""


class KeyFileError(Exception):
    """An operation on credentials that cannot be done. The message is one line for the operator."""


class InvalidCredential(KeyFileError):
    """What somebody asks of credentials is not possible: the store works, what was entered is wrong."""


class UnknownCredential(InvalidCredential):
    """There is no credential with an id."""


class NoCredentials(KeyFileError):
    """A store for which no credential was ever made."""


@attrs.frozen
class CredentialRecord:
    """One credential as the key file has it. Times are milliseconds since the epoch.

    `masked` is what may be shown of the value: all of a public one such as a site id, `...` and the last four
    characters of a secret (`...cdef`), None for a short secret. `label` is a person's own words, or empty. The value
    stops working at `expires_at`, if it has one: for one that was `rotated`, it is the end of its grace.
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
    label: str = ""
    rotated: bool = False

    def status(self, now: int) -> str:
        """Return what a credential is at a time, in milliseconds: see status.py."""
        return status(revoked=self.revoked_at is not None, rotated=self.rotated, expires_at=self.expires_at, now=now)


@attrs.frozen
class NewCredential:
    """A credential with its value, which is stored nowhere and can be shown only now."""

    record: CredentialRecord
    value: str = attrs.field(repr=False)


def new_id() -> str:
    """Return a random id for a record, such as `key_0123456789ab`."""
    return "key_" + secrets.token_hex(6)


def new_value(kind: CredentialKind) -> str:
    """Return a new random value in the kind's template: `dbdy_{token}` becomes `dbdy_` and 48 hex digits."""
    return kind.template.replace("{token}", secrets.token_hex(24)).replace("{uuid}", str(uuid.uuid4()))


def normalized(kind: CredentialKind, value: str) -> str:
    """Return the canonical spelling of a value, which is the one that is hashed.

    Raises InvalidCredential on a value that no client could send.
    """
    for spelling in (value, kind.normalize(value)):
        if not spelling.strip():
            raise InvalidCredential(f"the value of the {kind.name} is empty")
        if len(spelling) > MAX_CREDENTIAL:
            raise InvalidCredential(
                f"the value of the {kind.name} has {len(spelling)} characters; at most {MAX_CREDENTIAL} are allowed"
            )
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in spelling):
            raise InvalidCredential(f"the value of the {kind.name} contains control characters or is not UTF-8")
        if spelling != spelling.strip():
            raise InvalidCredential(f"the value of the {kind.name} begins or ends with white space")
        if (at := _unseen(spelling)) is not None:
            raise InvalidCredential(
                f"character {at + 1} of the value of the {kind.name} cannot be seen ({_name(spelling[at])}); "
                "copy the value again, or type it"
            )
    return spelling


def _unseen(value: str) -> int | None:
    """Return the index of the first character that nobody sees or that looks like a space and is none, or None.

    Word processors and web pages put such characters into what is copied from them. A client would never send them.
    """
    if value.isascii():
        return None
    spaces = (at for at, each in enumerate(value) if each in _BLANK or (each.isspace() and each != " "))
    found = [at for at in (first_hidden(value), next(spaces, None)) if at is not None]
    return min(found, default=None)


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def masked(kind: CredentialKind, value: str) -> str | None:
    """Return what may be shown of a value, and so stored in the clear: see CredentialRecord."""
    if kind.public:
        return value
    return f"...{value[-4:]}" if len(value) >= MIN_MASKED_CHARACTERS else None


def check_project(name: str) -> None:
    """Raise InvalidCredential on a name that would need quoting in a file name, a metric or a command line."""
    if not _PROJECT.fullmatch(name):
        raise InvalidCredential(f"{name!r} is not a valid project name: use up to 64 letters, digits, '.', '_' and '-'")


def checked_scopes(dialect: Dialect, scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes in the dialect's order, each once. Raises InvalidCredential on an unknown one."""
    named = set(scopes)
    unknown = sorted(named - set(dialect.scopes))
    if unknown:
        hint = f"its scopes are: {', '.join(dialect.scopes)}" if dialect.scopes else "it has no scopes"
        raise InvalidCredential(f"{dialect.name} has no scope {unknown[0]!r}; {hint}")
    return tuple(scope for scope in dialect.scopes if scope in named)


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return allowed origins as hosts, each once: `https://Shop.example/x` is `shop.example`.

    Raises InvalidCredential.
    """
    try:
        return tuple(dict.fromkeys(origin_of(origin) for origin in origins))
    except ValueError as error:
        raise InvalidCredential(f"invalid origin: {error}") from None


def checked_label(label: str) -> str:
    """Return a label without the white space around it. Raises InvalidCredential on one that nobody can read."""
    found = label.strip()
    if len(found) > MAX_LABEL:
        raise InvalidCredential(f"the label has {len(found)} characters; at most {MAX_LABEL} are allowed")
    if (at := first_hidden(found)) is not None:
        raise InvalidCredential(f"character {at + 1} of the label cannot be seen (U+{ord(found[at]):04X})")
    return found
