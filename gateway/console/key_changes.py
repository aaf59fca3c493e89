"""What the console changes of credentials, from the fields of a form or of JSON. Errors are those of a web page."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.console.context import Console
from gateway.console.page import bad_request, not_found
from gateway.dialect import CredentialKind, Dialect
from gateway.keys.changes import KeyUpdate
from gateway.keys.credential import CredentialRecord, InvalidCredential, NewCredential, UnknownCredential
from gateway.keys.expiry import Expiry
from gateway.operate.credentials import expiry
from gateway.operate.first_start import PROJECT

MAX_GRACE = 366 * 86_400
"""Seconds that a rotated value may go on: the console offers a year."""
MAX_LIST = 200
"""How many origins or scopes may be given."""
Given = Mapping[str, Any]
"""The fields that somebody sent: texts, and `scopes` and `origins` as lists of texts. None is not given."""
ADDED = ("project", "dialect", "kind", "value", "scopes", "origins", "label", "expires")
UPDATED = ("label", "scopes", "origins", "expires")


async def add(console: Console, given: Given) -> NewCredential:
    """Add a credential. The value is shown to whoever asked, now only. Raises HTTPException."""
    _check_names(given, ADDED)
    dialect = _dialect(console, _text(given, "dialect"))
    kind = _kind(dialect, _text(given, "kind"))
    with _told():
        async with console.store.keys(make=True) as keys:
            return await keys.add(
                _text(given, "project") or PROJECT,
                dialect,
                kind,
                now=console.clock(),
                value=_text(given, "value"),
                scopes=_texts(given, "scopes"),
                origins=_texts(given, "origins"),
                label=_text(given, "label"),
                expires=_expires(console, given),
            )


async def update(console: Console, key_id: str, given: Given) -> CredentialRecord:
    """Change what a credential may do, and return it. Raises HTTPException."""
    _check_names(given, UPDATED)
    with _told():
        async with console.store.keys() as keys:
            record = await keys.get(key_id)
            expires = _expires(console, given)
            wish = KeyUpdate.checked(
                installed_dialect(console, record.dialect),
                label=_text(given, "label"),
                scopes=_texts(given, "scopes"),
                origins=_texts(given, "origins"),
                expires=None if expires == (record.expires_at or "never") else expires,
            )
            return await keys.update(key_id, wish, now=console.clock())


async def rotate(console: Console, key_id: str, given: Given) -> NewCredential:
    """Replace a credential; the old value goes on for `grace_seconds`. Raises HTTPException."""
    _check_names(given, ("grace_seconds",))
    grace = given.get("grace_seconds", 0)
    if not isinstance(grace, int) or isinstance(grace, bool) or not 0 <= grace <= MAX_GRACE:
        raise bad_request(f"grace_seconds must be an integer from 0 to {MAX_GRACE}")
    with _told():
        async with console.store.keys() as keys:
            record = await keys.get(key_id)
            kind = _kind(_dialect(console, record.dialect), record.kind)
            return await keys.rotate(key_id, kind, now=console.clock(), grace=grace)


async def revoke(console: Console, key_id: str) -> CredentialRecord:
    """Revoke a credential for good, and return it. Raises HTTPException."""
    with _told():
        async with console.store.keys() as keys:
            return await keys.revoke(key_id, now=console.clock())


async def get(console: Console, key_id: str) -> CredentialRecord:
    """Return a credential. Raises HTTPException."""
    with _told():
        async with console.store.keys() as keys:
            return await keys.get(key_id)


def installed_dialect(console: Console, name: str) -> Dialect | None:
    """Return a dialect that is served here; None for another one."""
    found = console.installed.get(name)
    return None if found is None else found.dialect


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what was entered wrong into an answer. An error of the store passes."""
    try:
        yield
    except UnknownCredential:
        raise not_found("there is no such key") from None
    except InvalidCredential as error:
        raise bad_request(str(error)) from None


def _dialect(console: Console, name: str | None) -> Dialect:
    found = None if name is None else installed_dialect(console, name)
    if found is None:
        raise bad_request(f"dialect must be one of {', '.join(console.installed)}")
    return found


def _kind(dialect: Dialect, name: str | None) -> CredentialKind:
    kinds = {kind.name: kind for kind in dialect.kinds}
    if name is None:
        return dialect.kinds[0]
    if name not in kinds:
        raise bad_request(f"kind must be one of {', '.join(kinds)}")
    return kinds[name]


def _check_names(given: Given, known: Sequence[str]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise bad_request(f"there is no field {unknown[0][:40]!r}; there are {', '.join(known)}")


def _text(given: Given, name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{name} must be a text")
    return value


def _texts(given: Given, name: str) -> list[str] | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len(value) > MAX_LIST:
        raise bad_request(f"{name} must be a list of at most {MAX_LIST} texts")
    return value


def _expires(console: Console, given: Given) -> Expiry | None:
    text = _text(given, "expires")
    if text is None:
        return None
    try:
        return expiry.parse(text, console.clock())
    except (ValueError, OverflowError):
        raise bad_request(f"expires is no time; {expiry.HINT}") from None
