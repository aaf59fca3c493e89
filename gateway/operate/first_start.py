"""The first start on an empty data directory: a credential for each dialect, and the text that shows how to use it."""

from collections.abc import Iterable, Sequence

import attrs

from gateway.dialect import Dialect
from gateway.keys.store import KeyFile

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


def make_keys(keys: KeyFile, dialects: Iterable[Dialect], now: int) -> FirstStart:
    """Create what a key file lacks: an admin token, and one credential per dialect if it has no credentials at all.

    Each is of its dialect's first kind, in the project `default`. `now` is in milliseconds since the epoch. Raises
    KeyFileError.
    """
    credentials: tuple[DialectCredential, ...] = ()
    if not keys.list():
        credentials = tuple(
            DialectCredential(dialect, keys.add(PROJECT, dialect, dialect.kinds[0], now=now).value)
            for dialect in dialects
        )
    token = keys.new_admin_token() if keys.admin().hash is None else None
    return FirstStart(credentials, token)


def text(start: FirstStart, url: str) -> str:
    """Return what to print for the operator, for a server that answers at `url`; empty if nothing was created."""
    parts = [_credentials_text(start.credentials, url)] if start.credentials else []
    if start.admin_token is not None:
        parts.append(
            f"Admin token, shown only once (`gateway admin-token` creates a new one):\n\n  {start.admin_token}\n"
        )
    return "\n".join(parts)


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
            f"    {_filled(credential.dialect.setting, url, credential.value)}",
            "  to try it:",
            f"    {_filled(credential.dialect.curl, url, credential.value)}",
            "",
        ]
    return "\n".join(lines)


def _filled(template: str, url: str, value: str) -> str:
    # Not str.format: the templates contain the braces of JSON and JavaScript.
    return template.replace("{url}", url).replace("{value}", value)
