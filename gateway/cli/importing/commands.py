"""`gateway import`: a vendor's items from files, or the requests that a proxy has recorded, into a project."""

import contextlib
import gc
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from gateway.cli.log_access import open_log
from gateway.cli.names import check_project, dialect_of, unknown
from gateway.cli.options import GivenPath, config_option, store_option
from gateway.cli.tables import counting
from gateway.clock import now
from gateway.config import load
from gateway.dialect import Route
from gateway.dialect.outcome import StorageUnavailable
from gateway.ingest.bots import known_bots
from gateway.ingest.registry import Installed, installed_by_name
from gateway.operate.importing import files
from gateway.operate.importing.files import RecordedRequests
from gateway.operate.importing.found import ImportProblem
from gateway.operate.importing.importer import Importer
from gateway.operate.importing.mapping import read_map
from gateway.operate.importing.pace import Pace
from gateway.operate.importing.shape import normal_site, shape_of
from gateway.operate.importing.translation import Translation
from gateway.printable import printable
from gateway.storage.store import Store
from gateway.workers.ipc_client import RemoteStorage

RARELY = 10_000, 20, 50
"""How often rubbish is looked for: as in a server, which makes no cycles either."""
UNDER_WAY = 4
"""How many entries of an import wait for the log at once, where no server does."""
NICE = 15
"""How much less urgent an import is than a server on the same machine."""
REST = 4.0
"""How long an import beside a server rests after each group, as a multiple of the time that the group took."""


@click.command("import", short_help="Import a vendor's history from files.")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=GivenPath(path_type=Path))
@click.option("--project", required=True, help="The project that the events go to.")
@click.option("--dialect", required=True, help="The dialect of the vendor that they come from.")
@click.option("--route", help="The endpoint that takes such items; a HAR needs none.")
@click.option("--map", "map_file", type=GivenPath(path_type=Path), help="What the file's fields are to the vendor.")
@click.option("--site", help="The public id that the items were sent with, if they do not have it themselves.")
@click.option("--host", help="The host whose requests to take from a HAR.")
@click.option("--dry-run", is_flag=True, help="Store nothing, and say what would be stored.")
@store_option
@config_option
async def import_files(
    store: Store,
    paths: tuple[Path, ...],
    project: str,
    dialect: str,
    route: str | None,
    map_file: Path | None,
    site: str | None,
    host: str | None,
    dry_run: bool,
    config: Path | None,
) -> None:
    """Import a vendor's history: JSON lines, a JSON array or CSV of its items, or a HAR of recorded requests.

    Files may be gzip. Items become events as those of requests do, and keep their times. What is stored already is not
    stored again, so that the command can be run again after it was interrupted. A server may be running. Invalid items
    are quarantined.
    """
    settings = load(config)
    dialect_of(dialect)
    installed = installed_by_name(settings.switches)[dialect]
    await check_project(project, store, config)
    with _one_line():
        mapping = None if map_file is None else read_map(map_file)
        recorded = {path for path in paths if files.is_har(path)}
    if recorded and mapping is not None:
        raise click.UsageError("--map is for items: a HAR has whole requests")
    shape = None if recorded.issuperset(paths) else shape_of(installed, _route(installed, route), site)
    if site is not None and not any(kind.public for kind in installed.dialect.kinds):
        raise click.UsageError(f"--site: {dialect} has no public ids")
    requests = RecordedRequests(installed, host and host.lower())
    with _one_line():
        _check_hosts(recorded, requests)
    is_bot = known_bots() if project in settings.filter_bots else None
    where = normal_site(installed, site)
    translation = Translation(installed, project, where, settings.keep_ip, settings.asked, is_bot, dry_run)
    gc.freeze()
    gc.set_threshold(*RARELY)
    async with open_log(store, settings) as log:
        is_beside = isinstance(log, RemoteStorage)
        if is_beside:
            os.nice(NICE)
        importer = Importer(
            translation, log.append, now, Pace(REST if is_beside else 0.0), under_way=1 if is_beside else UNDER_WAY
        )
        try:
            with _one_line(), counting("importing") as count:

                def told(share: float | None) -> None:
                    count(importer.totals.items, share)

                for path in paths:
                    if shape is None or path in recorded:
                        await files.import_requests(path, requests, importer, told)
                    else:
                        await files.import_items(path, shape, mapping, importer, told)
        finally:
            _report(importer, is_dry=dry_run)


def _report(importer: Importer, *, is_dry: bool) -> None:
    """Print what was done so far, also where an import has failed or was interrupted."""
    totals = importer.totals
    for line in totals.faults:
        click.echo(printable(line), err=True)
    if (more := totals.quarantined - len(totals.faults)) > 0:
        click.echo(f"and {more} more; see `gateway quarantine list`", err=True)
    click.echo(totals.summary(is_dry=is_dry))


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (ImportProblem, StorageUnavailable, RuntimeError) as problem:
        raise click.ClickException(str(problem)) from None


def _check_hosts(recorded: Iterable[Path], requests: RecordedRequests) -> None:
    """Raise ClickException if a HAR has such requests to several hosts: their paths do not tell whose they are."""
    if requests.host is not None:
        return
    found = sorted({host for path in recorded for host in files.hosts(path, requests)})
    if len(found) > 1:
        raise click.ClickException(f"requests to several hosts have such paths; give --host, one of {', '.join(found)}")


def _route(installed: Installed, name: str | None) -> Route:
    names = [route.name for route in installed.routes]
    if name is None and len(names) == 1:
        return installed.routes[0]
    if name is None:
        raise click.UsageError(f"give --route, one of {', '.join(names)}")
    route = installed.route(name)
    if route is None:
        raise unknown(f"route of {installed.dialect.name}", name, names)
    return route
