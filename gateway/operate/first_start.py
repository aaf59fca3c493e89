"""What the first start on an empty data directory makes and says: a key for each dialect, and how to use it."""

from collections.abc import Iterable, Sequence

import attrs

from gateway.dialect import Dialect
from gateway.keys.store import KeyFile

PROJECT = "default"


@attrs.frozen
class DialectCredential:
    """A dialect and the value of the credential that was made for it."""

    dialect: Dialect
    value: str = attrs.field(repr=False)


@attrs.frozen
class FirstStart:
    """What was made at this start: on most, nothing. The values are known at this moment only."""

    credentials: tuple[DialectCredential, ...] = ()
    admin_token: str | None = attrs.field(default=None, repr=False)


def make_keys(keys: KeyFile, dialects: Iterable[Dialect], now: int) -> FirstStart:
    """Make what a key file lacks: an admin token, and, where it has no credential at all, one a dialect.

    `now` is in milliseconds since the epoch. Credentials are of the first of each dialect's kinds.
    """
    credentials: tuple[DialectCredential, ...] = ()
    if not keys.list():
        credentials = tuple(
            DialectCredential(dialect, keys.add(PROJECT, dialect, dialect.kinds[0], now=now).value)
            for dialect in dialects
        )
    token = keys.new_admin_token() if keys.admin().hash is None else None
    return FirstStart(credentials, token)


def text(welcome: FirstStart, url: str) -> str:
    """Return what to tell the person who started the gateway that answers at `url`; empty where nothing was made."""
    parts = [_of_gifts(welcome.credentials, url)] if welcome.credentials else []
    if welcome.admin_token is not None:
        parts.append(
            f"Admin token, shown this once (`gateway admin-token` makes a new one):\n\n  {welcome.admin_token}\n"
        )
    return "\n".join(parts)


def _of_gifts(credentials: Sequence[DialectCredential], url: str) -> str:
    lines = [
        f"First start: project `{PROJECT}` has one credential a dialect. Only their hashes are kept, so copy them now;",
        "`gateway keys add --value ...` takes the keys that your SDKs have already.",
        "",
    ]
    for credential in credentials:
        lines += [
            f"{credential.dialect.title} ({credential.dialect.kinds[0].name}: {credential.value})",
            "  in the SDK's settings:",
            f"    {_filled(credential.dialect.setting, url, credential.value)}",
            "  to try it:",
            f"    {_filled(credential.dialect.curl, url, credential.value)}",
            "",
        ]
    return "\n".join(lines)


def _filled(template: str, url: str, value: str) -> str:
    # Not str.format: the templates are full of braces that are JSON's and JavaScript's.
    return template.replace("{url}", url).replace("{value}", value)
