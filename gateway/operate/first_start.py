"""The first start on an empty store: a credential for each dialect; and what a start tells the operator."""

from collections.abc import Iterable, Sequence

import attrs

from gateway.dialect import Dialect
from gateway.keys.store import KeyStore

PROJECT = "default"


@attrs.frozen
class DialectCredential:
    """A dialect and the value of its new credential."""

    dialect: Dialect
    value: str = attrs.field(repr=False)


@attrs.frozen
class FirstStart:
    """What this start created: on most starts, nothing. The values cannot be shown later: only hashes are stored."""

    credentials: tuple[DialectCredential, ...] = ()
    admin_token: str | None = attrs.field(default=None, repr=False)


async def make_keys(keys: KeyStore, dialects: Iterable[Dialect], now: int) -> FirstStart:
    """Create what a store lacks: an admin token, and one credential per dialect if it has no credentials at all.

    Each is of its dialect's first kind, in the project `default`. `now` is in milliseconds since the epoch. Of gateways
    that start at once on one store, one creates all. Raises KeyFileError.
    """
    if await _is_complete(keys):  # then a start changes nothing, and waits for nobody
        return FirstStart()
    credentials: list[DialectCredential] = []
    token: str | None = None
    async with keys.exclusive():
        if not await keys.list():
            for dialect in dialects:
                made = await keys.add(PROJECT, dialect, dialect.kinds[0], now=now)
                credentials.append(DialectCredential(dialect, made.value))
        if (await keys.admin()).hash is None:
            token = await keys.new_admin_token()
    return FirstStart(tuple(credentials), token)


async def _is_complete(keys: KeyStore) -> bool:
    return len(await keys.list()) > 0 and (await keys.admin()).hash is not None


def text(start: FirstStart, url: str, console: str = "") -> str:
    """Return what to print for the operator, for a server that answers at `url`; empty if there is nothing to say.

    `console` is the console's one-time link, if there is one.
    """
    parts = [_credentials_text(start.credentials, url)] if start.credentials else []
    if start.admin_token is not None:
        parts.append(
            f"Admin token, shown only once (`gateway admin-token` creates a new one):\n\n  {start.admin_token}\n"
        )
    if console:
        parts.append(console_text(console))
    return "\n".join(parts)


def console_text(link: str) -> str:
    """Return what to print of the console's one-time link."""
    return f"Console, by a link that works once and for ten minutes (later: log in by the admin token):\n\n  {link}\n"


def _credentials_text(credentials: Sequence[DialectCredential], url: str) -> str:
    lines = [
        f"First start: project `{PROJECT}` has one credential per dialect. Only hashes are stored: copy them now.",
        "`gateway keys add --value ...` adds the keys that your SDKs use already.",
        "",
    ]
    for credential in credentials:
        lines += [
            f"{credential.dialect.title} ({credential.dialect.kinds[0].name}: {credential.value})",
            "  in the SDK's settings:",
            f"    {filled(credential.dialect.setting, url, credential.value)}",
            "  to try it:",
            f"    {filled(credential.dialect.curl, url, credential.value)}",
            "",
        ]
    return "\n".join(lines)


def filled(template: str, url: str, value: str) -> str:
    """Return a line of a dialect with the URL and the value of a credential in it."""
    # Not str.format: the templates contain the braces of JSON and JavaScript.
    return template.replace("{url}", url).replace("{value}", value)
