"""`gateway keys add`, and how the value of a new credential is printed."""

from collections.abc import Sequence
from functools import partial

import click
import orjson

from gateway.cli.names import dialect_of, kind_of
from gateway.cli.options import json_option, store_option
from gateway.cli.output.streams import must_be_read, read_input, settle
from gateway.cli.times import expiry
from gateway.clock import now
from gateway.dialect import CredentialKind, Dialect
from gateway.keys.credential import (
    NewCredential,
    check_project,
    checked_label,
    checked_origins,
    checked_scopes,
    normalized,
)
from gateway.keys.expiry import Expiry, checked_expiry
from gateway.operate.first_start import PROJECT
from gateway.storage.store import Store

MAX_INPUT = 1 << 16
"""Bytes that are read of a value; one so long is refused."""
label_option = click.option("--label", help="Words that say what it is for, at most 80 characters.")
expires_option = click.option(
    "--expires",
    metavar="TIME",
    callback=expiry,
    help="When it stops working: 2030-01-02T03:04:05Z, a span from now such as 90d, or never.",
)


@click.command(short_help="Add a credential to a project.")
@store_option
@click.option("--project", default=PROJECT, show_default=True, help="The project that the credential belongs to.")
@click.option("--dialect", "dialect_name", required=True, help="Its clients' dialect; see `gateway dialects`.")
@click.option("--kind", "kind_name", help="The kind of credential [default: the dialect's first kind].")
@click.option("--value", help="Use this value, which your SDK has already [default: a new random value].")
@click.option("--value-stdin", is_flag=True, help="Read the value from standard input, so that `ps` does not show it.")
@click.option("--scope", "scopes", multiple=True, help="Allow only this scope; repeatable [default: all].")
@click.option("--origin", "origins", multiple=True, help="Allow only pages of this host; repeatable [default: any].")
@label_option
@expires_option
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
    label: str | None,
    expires: Expiry | None,
    as_json: bool,
) -> None:
    """Add a credential to a project.

    If the project has the value already, the credential keeps its id, and what is given replaces the old: scopes,
    origins, label and expiry.
    """
    if value is not None and value_stdin:
        raise click.UsageError("--value and --value-stdin exclude each other")
    if value_stdin:
        value = _line(read_input(MAX_INPUT))
    dialect = dialect_of(dialect_name)
    kind = dialect.kinds[0] if kind_name is None else kind_of(dialect, kind_name)
    at = now()
    checked_expiry(expires, at)
    _check_before(dialect, kind, project, value, scopes, origins, label)
    async with store.keys(make=True) as credentials:
        with must_be_read("nothing was added"):
            await credentials.add(
                project,
                dialect,
                kind,
                now=at,
                value=value,
                scopes=scopes or None,
                origins=origins or None,
                label=label,
                expires=expires,
                show=partial(print_new, as_json=as_json),
            )


def _line(sent: bytes) -> str:
    """Return what was read from standard input, without its line ending and the byte order mark that editors add."""
    return sent.decode("utf-8-sig", "surrogateescape").removesuffix("\n").removesuffix("\r")


def print_new(created: NewCredential, as_json: bool) -> None:
    """Print a new credential. Returns once it was written: then the change may be made."""
    record = created.record
    facts = {name: getattr(record, name) for name in ("id", "project", "dialect", "kind")} | {"value": created.value}
    if as_json:
        click.echo(orjson.dumps(facts))
    else:
        for name, text in facts.items():
            click.echo(f"{name:<8} {text}")
    settle()


def _check_before(
    dialect: Dialect,
    kind: CredentialKind,
    project: str,
    value: str | None,
    scopes: Sequence[str],
    origins: Sequence[str],
    label: str | None,
) -> None:
    """Raise KeyFileError on what cannot be added, before a file of credentials is made for it."""
    checked_label(label or "")
    check_project(project)
    checked_scopes(dialect, scopes)
    checked_origins(origins)
    if value is not None:
        normalized(kind, value)
