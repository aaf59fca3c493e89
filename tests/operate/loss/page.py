"""The generated part of docs/loss.md: a table for each dialect, a column for each vendor that is sent its events."""

from collections.abc import Iterable

from gateway.ingest.registry import Installed
from gateway.operate.loss.table import Table, shipped

MARK = "<!-- From here on written by `python -m tests.operate.loss.make`. -->\n"


def generated(speakers: Iterable[Installed]) -> str:
    """Return the part of the page behind the mark, made from the tables that come with the gateway."""
    listed = list(speakers)
    return MARK + "".join(_section(each, listed) for each in listed)


def _section(source: Installed, targets: list[Installed]) -> str:
    tables = [_shipped(source, target) for target in targets]
    cells = [dict(table.lines()) for table in tables]
    places = sorted({place for of_table in cells for place in of_table})
    titles = [target.dialect.title for target in targets]
    lines = [
        f"\n## From {source.dialect.title}\n",
        f"| place | {' | '.join(titles)} |",
        f"|{'---|' * (len(titles) + 1)}",
    ]
    lines += [f"| `{place}` | {' | '.join(_cell(of_table.get(place)) for of_table in cells)} |" for place in places]
    return "\n".join(lines) + "\n"


def _shipped(source: Installed, target: Installed) -> Table:
    found = shipped(source.dialect.name, target.dialect.name)
    assert found is not None, f"no table of {source.dialect.name} and {target.dialect.name} is there"
    return found


def _cell(told: str | None) -> str:
    if told is None:
        return "not sent"
    return ", ".join(
        f"renamed to `{part.removeprefix('renamed to ')}`" if part.startswith("renamed to ") else part
        for part in told.split(", ")
    )
