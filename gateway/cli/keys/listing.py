"""What `gateway keys list` shows of credentials: as a table, as blocks for a narrow terminal, or as JSON."""

from collections.abc import Sequence

import click
import orjson

from gateway.cli.tables import moment, show_wide
from gateway.keys.credential import CredentialRecord
from gateway.operate.credentials import known
from gateway.operate.credentials.known import Uses
from gateway.storage.records import CredentialUse
from gateway.storage.store import Store

COLUMNS = (
    *("id", "project", "dialect", "kind", "value", "label", "scopes", "origins"),
    *("last used", "today", "expires", "created", "status"),
)
NEVER = "never"
BEFORE_0_2 = {"rotated": "expired"}
"""Words for a status that had another one as `standing`."""


async def uses(store: Store, now: int) -> Uses:
    """Return the uses of credentials, by id. If they cannot be read a warning says why, and there are none."""
    found = await known.uses(store, now)
    if found.problem is not None:
        click.echo(f"Warning: when credentials were used is not known: {found.problem}", err=True)
    return found.uses


def show_table(records: Sequence[CredentialRecord], used: Uses, now: int) -> None:
    """Print credentials for people; `now` is in milliseconds since the epoch."""
    show_wide(COLUMNS, [_row(record, used.get(record.id), now) for record in records])


def show_json(records: Sequence[CredentialRecord], used: Uses, now: int) -> None:
    """Print credentials as lines of JSON, with the names of some facts from before 0.2 too."""
    for record in records:
        facts = known.facts(record, used.get(record.id), now)
        status = record.status(now)
        before = {"hint": record.masked, "standing": BEFORE_0_2.get(status, status)}
        click.echo(orjson.dumps({**facts, **before}))


def _row(record: CredentialRecord, use: CredentialUse | None, now: int) -> tuple[str, ...]:
    return (
        record.id,
        record.project,
        record.dialect,
        record.kind,
        record.masked or "",
        record.label,
        ", ".join(record.scopes),
        ", ".join(record.origins) or "any",
        NEVER if use is None else moment(use.last_used),
        "0" if use is None else str(use.requests),
        NEVER if record.expires_at is None else moment(record.expires_at),
        moment(record.created_at),
        record.status(now),
    )
