"""`gateway keys` and `gateway admin-token`: everything a person does with credentials."""

from difflib import get_close_matches
from functools import partial

import click

from gateway.cli.keys.adding import add, expires_option, label_option, print_new
from gateway.cli.keys.listing import show_json, show_table, uses
from gateway.cli.names import check_project, dialect_of, kind_of, unknown
from gateway.cli.options import json_option, project_option, store_option
from gateway.cli.output.streams import must_be_read, settle
from gateway.clock import now
from gateway.ingest.registry import discover
from gateway.keys.changes import KeyUpdate
from gateway.keys.expiry import Expiry
from gateway.keys.store import KeyStore
from gateway.storage.store import Store

NEAR = 0.8
"""How alike two ids must be for one to be suggested: they are random, and share their first four characters."""

MAX_GRACE = 100 * 366 * 86_400
"""Seconds: more would not fit where times are kept."""


@click.group(short_help="Manage the credentials that clients send.")
def keys() -> None:
    """Add, list, update, revoke and rotate the credentials that clients send."""


keys.add_command(add)


@keys.command("list", short_help="List credentials.")
@store_option
@project_option
@click.option("--dialect", help="Only this dialect.")
@json_option
async def show_list(store: Store, project: str | None, dialect: str | None, as_json: bool) -> None:
    """List credentials, with only the last four characters of secret values.

    A use is known some seconds after it. On a terminal that is too narrow each credential is a block of lines.
    """
    async with store.keys() as credentials:
        records = await credentials.list()
    await check_project(project, store)
    known = {*(each.name for each in discover()), *(record.dialect for record in records)}
    if dialect is not None and dialect not in known:
        raise unknown("dialect", dialect, known)
    at = now()
    shown = [record for record in records if project in (None, record.project) and dialect in (None, record.dialect)]
    used = await uses(store, at)
    if as_json:
        show_json(shown, used, at)
    else:
        show_table(shown, used, at)


@keys.command(short_help="Change a label, scopes, origins or expiry.")
@click.argument("key_id", metavar="ID")
@store_option
@label_option
@click.option("--scope", "scopes", multiple=True, help="Allow only this scope; repeatable.")
@click.option("--origin", "origins", multiple=True, help="Allow only pages of this host, or `*` for any; repeatable.")
@expires_option
@json_option
async def update(
    store: Store,
    key_id: str,
    label: str | None,
    scopes: tuple[str, ...],
    origins: tuple[str, ...],
    expires: Expiry | None,
    as_json: bool,
) -> None:
    """Change a credential; its value stays as it is. What is given replaces the old, all else stays.

    A running server knows the change within two seconds. Of a revoked or rotated credential only the label can change.
    """
    if label is None and expires is None and not (scopes or origins):
        raise click.UsageError("give what is to change: --label, --scope, --origin or --expires")
    async with store.keys() as credentials:
        await _check_id(credentials, key_id)
        record = await credentials.get(key_id)
        wish = KeyUpdate.checked(
            dialect_of(record.dialect) if scopes else None,
            label=label,
            scopes=scopes or None,
            origins=origins or None,
            expires=expires,
        )
        at = now()
        record = await credentials.update(key_id, wish, now=at)
    if as_json:
        show_json([record], await uses(store, at), at)
    else:
        click.echo(f"{record.id} is updated: {record.kind} of {record.dialect}, project {record.project}")


@keys.command(short_help="Revoke a credential.")
@click.argument("key_id", metavar="ID")
@store_option
async def revoke(store: Store, key_id: str) -> None:
    """Revoke a credential for good. A running server refuses it within two seconds."""
    async with store.keys() as credentials:
        await _check_id(credentials, key_id)
        record = await credentials.revoke(key_id, now=now())
    click.echo(f"{record.id} is revoked: {record.kind} of {record.dialect}, project {record.project}")


@keys.command(short_help="Replace a credential with a new one.")
@click.argument("key_id", metavar="ID")
@store_option
@click.option(
    "--grace",
    type=click.IntRange(0, MAX_GRACE),
    default=0,
    show_default=True,
    help="Seconds the old value keeps working.",
)
@json_option
async def rotate(store: Store, key_id: str, grace: int, as_json: bool) -> None:
    """Replace a credential with a new one, which has the same project, scopes and origins, and a new value and id."""
    async with store.keys() as credentials:
        with must_be_read("nothing was rotated"):
            await _check_id(credentials, key_id)
            record = await credentials.get(key_id)
            kind = kind_of(dialect_of(record.dialect), record.kind)
            await credentials.rotate(key_id, kind, now=now(), grace=grace, show=partial(print_new, as_json=as_json))


@click.command("admin-token", short_help="Create a new admin token.")
@store_option
async def admin_token(store: Store) -> None:
    """Create a new admin token and print it. It is shown only once. The previous token stops working."""
    async with store.keys(make=True) as credentials:
        with must_be_read("no token was made"):
            await credentials.new_admin_token(_print_token)


async def _check_id(credentials: KeyStore, key_id: str) -> None:
    """Raise ClickException on an unknown id that resembles a known one; the store reports the others."""
    known = [record.id for record in await credentials.list()]
    near = get_close_matches(key_id, known, 1, NEAR)
    if key_id not in known and near:
        raise unknown("credential", key_id, near)


def _print_token(token: str) -> None:
    click.echo(token)
    settle()
