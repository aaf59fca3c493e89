"""Names that a person may have misspelt: errors of one line with the nearest right name, exit code 1."""

from collections.abc import Iterable
from pathlib import Path

import click

from gateway.config import load
from gateway.config.errors import did_you_mean
from gateway.dialect import CredentialKind, Dialect
from gateway.ingest.registry import discover
from gateway.operate import projects
from gateway.operate.counters import totals
from gateway.storage.store import Store


def unknown(what: str, name: str, known: Iterable[str]) -> click.ClickException:
    """Return an error such as `there is no dialect 'tranthr'; did you mean tranthor?`."""
    return click.ClickException(f"there is no {what} {name!r}; {did_you_mean(name, known)}")


def dialect_of(name: str) -> Dialect:
    """Return an installed dialect. Raises ClickException on an unknown name."""
    by_name = {dialect.name: dialect for dialect in discover()}
    if name not in by_name:
        raise unknown("dialect", name, by_name)
    return by_name[name]


def kind_of(dialect: Dialect, name: str) -> CredentialKind:
    """Return a dialect's kind of credential. Raises ClickException on an unknown name."""
    by_name = {kind.name: kind for kind in dialect.kinds}
    if name not in by_name:
        raise unknown(f"kind of {dialect.name} credential", name, by_name)
    return by_name[name]


async def check_project(project: str | None, store: Store, config: Path | None = None) -> None:
    """Raise ClickException on a project that no event, quarantined item, rejected request, key or setting names.

    The settings come from the `config` file, else from the one that GATEWAY_CONFIG names.
    """
    if project is None:
        return
    known: set[str] = set()
    for names in (projects.counted, projects.with_keys):
        known |= await names(store)
        if project in known:
            return
    known |= set(load(config).projects)
    if project not in known:
        raise unknown("project", project, known - {""})


async def check_dialect(dialect: str | None, store: Store) -> None:
    """Raise ClickException on a dialect that is not installed and has no counted item."""
    if dialect is None:
        return
    async with store.records() as records:
        counted = {name for _, name, _ in await totals(records)}
    if dialect not in counted and dialect not in (installed := {each.name for each in discover()}):
        raise unknown("dialect", dialect, (counted | installed) - {""})
