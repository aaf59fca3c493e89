"""`gateway keys` and `gateway admin-token`: everything a person does with credentials."""

import sys
from collections.abc import Iterable
from pathlib import Path

import attrs
import click
import orjson

from gateway.cli.options import data_option, project_option
from gateway.cli.tables import moment, show
from gateway.clock import now
from gateway.config import data_directory
from gateway.datadir import DataDir, make
from gateway.dialect import CredentialKind, Dialect
from gateway.ingest.registry import discover
from gateway.keys.credential import CredentialRecord, NewCredential
from gateway.keys.store import KeyFile
from gateway.operate.first_start import PROJECT

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


@click.group()
def keys() -> None:
    """Make, show and close the credentials that clients send."""


@keys.command()
@data_option
@click.option("--project", default=PROJECT, show_default=True, help="The project that it opens.")
@click.option("--dialect", "dialect_name", required=True, help="Whose SDKs send it; see `gateway dialects`.")
@click.option("--kind", "kind_name", help="What it is [default: the dialect's first kind].")
@click.option("--value", help="A value that is there already, as its SDK has it [default: a new random one].")
@click.option("--value-stdin", is_flag=True, help="Read the value from standard input, where `ps` cannot see it.")
@click.option("--scope", "scopes", multiple=True, help="Allow only this; repeatable [default: all of the dialect].")
@click.option("--origin", "origins", multiple=True, help="Allow only pages of this host; repeatable [default: any].")
@json_option
def add(
    data: Path | None,
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

    A value that the project has already keeps its id; scopes and origins, where given, replace those it had.
    """
    if value is not None and value_stdin:
        raise click.UsageError("--value and --value-stdin exclude each other")
    if value_stdin:
        value = _line(sys.stdin.buffer.read())
    dialect = _dialect(discover(), dialect_name)
    kind = dialect.kinds[0] if kind_name is None else _kind(dialect, kind_name)
    unknown = [scope for scope in scopes if scope not in dialect.scopes]
    if unknown:
        raise _no(f"scope of {dialect_name}", unknown[0], dialect.scopes)
    with KeyFile.open(make(data_directory(data)).keys, make=True) as file:
        made = file.add(project, dialect, kind, now=now(), value=value, scopes=scopes or None, origins=origins or None)
    _tell(made, as_json)


@keys.command("list")
@data_option
@project_option
@click.option("--dialect", help="Only this dialect's.")
@json_option
def show_list(data: Path | None, project: str | None, dialect: str | None, as_json: bool) -> None:
    """List credentials; of secret values, no more than their ends."""
    with _open(data) as file:
        records = [
            record for record in file.list() if project in (None, record.project) and dialect in (None, record.dialect)
        ]
    at = now()
    if as_json:
        for record in records:
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
            for record in records
        ],
    )


@keys.command()
@click.argument("key_id", metavar="ID")
@data_option
def revoke(key_id: str, data: Path | None) -> None:
    """Close a credential for good. A running server knows it within a second."""
    with _open(data) as file:
        record = file.revoke(key_id, now=now())
    click.echo(f"{record.id} is revoked: {record.kind} of {record.dialect}, project {record.project}")


@keys.command()
@click.argument("key_id", metavar="ID")
@data_option
@click.option(
    "--grace", type=click.IntRange(0), default=0, help="For how many seconds the old one works on [default: 0]."
)
@json_option
def rotate(key_id: str, data: Path | None, grace: int, as_json: bool) -> None:
    """Make a credential's successor, with a new value and id; the old one ends."""
    with _open(data) as file:
        record = file.get(key_id)
        kind = _kind(_dialect(discover(), record.dialect), record.kind)
        made = file.rotate(key_id, kind, now=now(), grace=grace)
    _tell(made, as_json)


@click.command("admin-token")
@data_option
def admin_token(data: Path | None) -> None:
    """Make a new admin token and print it, this once; the one before it ends."""
    with KeyFile.open(make(data_directory(data)).keys, make=True) as file:
        click.echo(file.new_admin_token())


def _open(data: Path | None) -> KeyFile:
    return KeyFile.open(DataDir(data_directory(data)).keys)


def _line(sent: bytes) -> str:
    """Return what came on standard input without the end of its line."""
    return sent.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")


def _dialect(dialects: Iterable[Dialect], name: str) -> Dialect:
    by_name = {dialect.name: dialect for dialect in dialects}
    if name not in by_name:
        raise _no("dialect", name, by_name)
    return by_name[name]


def _kind(dialect: Dialect, name: str) -> CredentialKind:
    by_name = {kind.name: kind for kind in dialect.kinds}
    if name not in by_name:
        raise _no(f"kind of {dialect.name}", name, by_name)
    return by_name[name]


def _no(what: str, name: str, known: Iterable[str]) -> click.UsageError:
    return click.UsageError(f"there is no {what} {name!r}; there is: {', '.join(known) or 'none'}")


def _tell(made: NewCredential, as_json: bool) -> None:
    record = made.record
    said = {name: getattr(record, name) for name in ("id", "project", "dialect", "kind")} | {"value": made.value}
    if as_json:
        click.echo(orjson.dumps(said))
        return
    for name, text in said.items():
        click.echo(f"{name:<8} {text}")


def _facts(record: CredentialRecord, now: int) -> dict[str, object]:
    facts = {**attrs.asdict(record), "status": record.status(now)}
    return {**facts, "hint": record.masked, "standing": facts["status"]}  # the last two: names from before 0.2
