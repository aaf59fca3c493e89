"""`gateway storage info`, `check`, `compact` and `move`."""

import asyncio
import json
import shlex

import click

from gateway.cli.options import json_option, store_option
from gateway.cli.tables import counting, moment, show
from gateway.operate.check import Check
from gateway.operate.moving.move import Move, MoveResult
from gateway.storage.engines import open_store
from gateway.storage.read import LogReader, Position
from gateway.storage.store import Store

MOST_PROBLEMS = 1000
"""How many problems are printed; a damaged file may have millions."""


@click.group(short_help="Look at a store, check it, move it.")
def storage() -> None:
    """What a store is and holds, whether it is whole, and moving it into another one."""


@storage.command(short_help="Show what a store is and how large.")
@store_option
@json_option
async def info(store: Store, as_json: bool) -> None:
    """Show the engine of a store, its size, its events, and who runs on it."""
    known = await store.info()
    async with store.log() as log:
        count = await log.count()
        oldest, newest = await _ends(log)
    async with store.records() as records:
        projects = {project for project, *_ in await records.counters()}
    facts: dict[str, object] = {
        "name": store.name,
        "engine": known.engine,
        "schema": known.schema,
        "bytes": known.bytes,
        "free_bytes": known.free,
        "events": count,
        "oldest_position": oldest,
        "newest_position": newest,
        "projects": sorted(projects),
        "gateways": [
            {"host": each.host, "version": each.version, "seen": None if each.seen is None else moment(each.seen)}
            for each in known.running
        ],
        "partitions": known.partitions,
        "reader_lag_seconds": None if known.lag is None else round(known.lag, 1),
        "held_by": known.held_by,
        "parts": dict(known.parts),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    shown = {name: value for name, value in facts.items() if name not in ("parts", "gateways") and value is not None}
    rows = [(name.replace("_", " "), _text(value)) for name, value in shown.items()]
    rows += [("gateway", f"{each.host} {each.version}".strip()) for each in known.running] or [("gateway", "none runs")]
    show(("store", ""), rows)
    show(("part", "bytes"), [(name, f"{size:,}") for name, size in known.parts.items()])


@storage.command(short_help="Read all of a store, tell what is wrong.")
@store_option
async def check(store: Store) -> None:
    """Read everything that a store holds, and print what cannot be read or does not fit together, one line each.

    A gateway may run meanwhile.
    """
    found = 0
    async with store.move_source() as source:
        with counting("checking") as count:
            checking = Check(source, count)
            async for problem in checking.problems():
                found += 1
                if found <= MOST_PROBLEMS:
                    click.echo(problem)
    if found:
        raise click.ClickException(f"{found} problem{'s' if found > 1 else ''} in {store.name}")
    click.echo(f"{store.name}: {checking.events} events read, nothing is wrong", err=True)


@storage.command(short_help="Make a data directory's file small.")
@store_option
async def compact(store: Store) -> None:
    """Give the space that deleted events have left in events.db back to the disk. The server has to be stopped.

    A file made by this version gives it back by itself, while the server runs. One of an older version does so once
    this command was run. The disk needs room for twice what is in the file. A kill loses nothing.
    """
    before, after = await store.compact()
    click.echo(f"{store.name}: events.db had {before:,} bytes and has {after:,}")


@storage.command(short_help="Move a store into another one.")
@click.option("--from", "old", metavar="URL", required=True, help="The store that is moved; it stays as it is.")
@click.option("--to", "new", metavar="URL", required=True, help="A new directory or database, or an unfinished move.")
def move(old: str, new: str) -> None:
    """Move a store into another one: sqlite:DIR or postgresql://..., in either direction.

    Gateways may serve on the old store meanwhile. Once little is left, the command says that they are to be stopped,
    moves the rest in seconds, and compares both. After a kill or an error the same command goes on where it was.
    """
    source, target = open_store(old), open_store(new)
    if (source.name, type(source)) == (target.name, type(target)):
        raise click.ClickException("--from and --to are the same store")
    moved = asyncio.run(_move(source, target))
    name = shlex.quote(target.name)
    place = f"--storage {name}" if target.directory is None else f"--data {name}"
    hint = "" if target.directory is not None or target.name in new else "put the password back into the URL and "
    done = "was moved before; nothing was changed" if moved.was_finished else "is moved"
    click.echo(f"{source.name} {done}: {moved.events} events, {moved.receipts} receipts, digest {moved.digest}")
    click.echo(f"{hint}start the gateway with: gateway serve {place}")


async def _move(old: Store, new: Store) -> MoveResult:
    async with old.move_source() as source, new.move_target() as target:
        with counting("moving") as count:
            return await Move(source, target, lambda text: click.echo(text, err=True), count).run()


async def _ends(log: LogReader) -> tuple[Position | None, Position | None]:
    """Return the position of the first event and of the last; None for both if there is none."""
    page = await log.page()
    while not page.positions and page.more:
        page = await log.page(page.cursor)
    return (page.positions[0], await log.newest()) if page.positions else (None, None)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
