"""`gateway keys` and `gateway admin-token`: everything a person does with credentials."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial

import attrs
import click
import orjson

from gateway.cli.names import check_project, dialect_of, kind_of, unknown
from gateway.cli.options import json_option, project_option, store_option
from gateway.cli.output.streams import must_be_read, read_input, settle
from gateway.cli.tables import moment, show
from gateway.clock import now
from gateway.dialect import CredentialKind, Dialect
from gateway.dialect.timestamps import from_millis
from gateway.ingest.registry import discover
from gateway.keys.credential import CredentialRecord, NewCredential, checked_origins, checked_scopes, normalized
from gateway.keys.credential import check_project as check_project_name
from gateway.keys.store import KeyStore
from gateway.operate.first_start import PROJECT
from gateway.storage.store import Store

NEAR = 0.8
"""How alike two ids must be for one to be suggested: they are random, and share their first four characters."""

MAX_GRACE = 100 * 366 * 86_400
"""Seconds: more would not fit where times are kept."""
MAX_INPUT = 1 << 16
"""Bytes that are read of a value; one so long is refused."""


@click.group(short_help="Manage the credentials that clients send.")
def keys() -> None:
    """Add, list, revoke and rotate the credentials that clients send."""


@keys.command(short_help="Add a credential to a project.")
@store_option
@click.option("--project", default=PROJECT, show_default=True, help="The project that the credential belongs to.")
@click.option("--dialect", "dialect_name", required=True, help="Its clients' dialect; see `gateway dialects`.")
@click.option("--kind", "kind_name", help="The kind of credential [default: the dialect's first kind].")
@click.option("--value", help="Use this value, which your SDK has already [default: a new random value].")
@click.option("--value-stdin", is_flag=True, help="Read the value from standard input, so that `ps` does not show it.")
@click.option("--scope", "scopes", multiple=True, help="Allow only this scope; repeatable [default: all].")
@click.option("--origin", "origins", multiple=True, help="Allow only pages of this host; repeatable [default: any].")
@json_option
async def add(
    store: Store,
    project: str,
    dialect_name: str,
    kind_name: str | None,
    value: str | None,
    value_stdin: bool,
    scopes: tuple[str, ...],
    origins: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add a credential to a project.

    If the project has the value already, the credential keeps its id, and the given scopes and origins replace the old
    ones.
    """
    if value is not None and value_stdin:
        raise click.UsageError("--value and --value-stdin exclude each other")
    if value_stdin:
        value = _line(read_input(MAX_INPUT))
    dialect = dialect_of(dialect_name)
    kind = dialect.kinds[0] if kind_name is None else kind_of(dialect, kind_name)
    _check_before(dialect, kind, project, value, scopes, origins)
    async with store.keys(make=True) as credentials:
        with must_be_read("nothing was added"):
            await credentials.add(
                project,
                dialect,
                kind,
                now=now(),
                value=value,
                scopes=scopes or None,
                origins=origins or None,
                show=partial(_print_new, as_json=as_json),
            )


@keys.command("list", short_help="List credentials.")
@store_option
@project_option
@click.option("--dialect", help="Only this dialect.")
@json_option
async def show_list(store: Store, project: str | None, dialect: str | None, as_json: bool) -> None:
    """List credentials, with only the last four characters of secret values."""
    async with store.keys() as credentials:
        records = await credentials.list()
    await check_project(project, store)
    known = {*(each.name for each in discover()), *(record.dialect for record in records)}
    if dialect is not None and dialect not in known:
        raise unknown("dialect", dialect, known)
    at = now()
    shown = [record for record in records if project in (None, record.project) and dialect in (None, record.dialect)]
    if as_json:
        for record in shown:
            click.echo(orjson.dumps(_facts(record, at)))
        return
    show(
        ("id", "project", "dialect", "kind", "value", "scopes", "origins", "created", "status"),
        [
            (
                record.id,
                record.project,
                record.dialect,
                record.kind,
                record.masked or "",
                ", ".join(record.scopes),
                ", ".join(record.origins) or "any",
                moment(record.created_at),
                record.status(at),
            )
            for record in shown
        ],
    )


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
            await credentials.rotate(key_id, kind, now=now(), grace=grace, show=partial(_print_new, as_json=as_json))


@click.command("admin-token", short_help="Create a new admin token.")
@store_option
async def admin_token(store: Store) -> None:
    """Create a new admin token and print it. It is shown only once. The previous token stops working."""
    async with store.keys(make=True) as credentials:
        with must_be_read("no token was made"):
            await credentials.new_admin_token(_print_token)


def _check_before(
    dialect: Dialect,
    kind: CredentialKind,
    project: str,
    value: str | None,
    scopes: Sequence[str],
    origins: Sequence[str],
) -> None:
    """Raise KeyFileError on what cannot be added, before a file of credentials is made for it."""
    check_project_name(project)
    checked_scopes(dialect, scopes)
    checked_origins(origins)
    if value is not None:
        normalized(kind, value)


async def _check_id(credentials: KeyStore, key_id: str) -> None:
    """Raise ClickException on an unknown id that resembles a known one; the store reports the others."""
    known = [record.id for record in await credentials.list()]
    near = get_close_matches(key_id, known, 1, NEAR)
    if key_id not in known and near:
        raise unknown("credential", key_id, near)


def _line(sent: bytes) -> str:
    """Return what was read from standard input, without its line ending and the byte order mark that editors add."""
    return sent.decode("utf-8-sig", "surrogateescape").removesuffix("\n").removesuffix("\r")


def _print_new(created: NewCredential, as_json: bool) -> None:
    """Print a new credential. Returns once it was written: then the change may be made."""
    record = created.record
    facts = {name: getattr(record, name) for name in ("id", "project", "dialect", "kind")} | {"value": created.value}
    if as_json:
        click.echo(orjson.dumps(facts))
    else:
        for name, text in facts.items():
            click.echo(f"{name:<8} {text}")
    settle()


def _print_token(token: str) -> None:
    click.echo(token)
    settle()


def _facts(record: CredentialRecord, at: int) -> dict[str, object]:
    """Return a record for JSON: times in milliseconds, and in RFC 3339 under names of their own."""
    facts = {**attrs.asdict(record), "status": record.status(at)}
    times = {"created": record.created_at, "revoked": record.revoked_at, "expires": record.expires_at}
    rfc3339 = {name: None if millis is None else from_millis(millis) for name, millis in times.items()}
    before_0_2 = {"hint": record.masked, "standing": facts["status"]}
    return {**facts, **rfc3339, **before_0_2}
