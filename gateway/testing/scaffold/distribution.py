"""Writes a distribution with a new dialect, and checks its name."""

import keyword
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from string import Template

from gateway.ingest.registry import CANONICAL
from gateway.ingest.schema import load

TEMPLATE = Path(__file__).with_name("template")
SUFFIX = ".txt"
MOST_OF_A_TITLE = 40

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class CannotWrite(Exception):
    """The distribution cannot be written; the message is one line and says why."""


def distribution_of(name: str) -> str:
    """Return the name of a dialect's distribution, as indexes spell it: `my_vendor` gives `my-vendor-dialect`."""
    return re.sub(r"_+", "-", f"{name}_dialect")


def title_of(name: str) -> str:
    """Return what a dialect is called if nobody says: `my_vendor` gives `My Vendor`."""
    return " ".join(word.capitalize() for word in name.split("_") if word)


def write(name: str, folder: Path, installed: Collection[str], title: str | None = None) -> None:
    """Write a dialect's distribution into a folder that is empty, or not there yet: whole, or nothing of it.

    `installed` are the names of the installed dialects, which are taken. `title` is the vendor's name as people write
    it. Raises CannotWrite, then nothing is written.
    """
    _check_name(name, installed)
    if title is not None:
        _check_title(title)
    if folder.is_symlink() and not folder.exists():
        raise CannotWrite(f"{folder} is a link to nothing: name a folder with --into")
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"{folder} is a file: name a folder with --into")
    if folder.is_dir() and any(folder.iterdir()):
        raise CannotWrite(f"{folder} is not empty: name another folder with --into")
    if folder.parent.exists() and not folder.parent.is_dir():
        raise CannotWrite(f"{folder.parent} is a file: name another folder with --into")
    try:
        _write(folder, files(name, title))
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written: {error.strerror}") from error


def _write(folder: Path, texts: Iterable[tuple[Path, str]]) -> None:
    """Write files into a folder that is not there yet, or is empty. They are moved there when all are on the disk.

    A folder that is there stays the same one: it is somebody's current one, perhaps.
    """
    is_there = folder.is_dir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = (folder if is_there else folder.parent) / f".{folder.name}.{os.getpid()}"
    try:
        for path, text in texts:
            file = beside / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        if is_there:
            for each in list(beside.iterdir()):
                each.rename(folder / each.name)
        else:
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def files(name: str, title: str | None = None) -> Iterator[tuple[Path, str]]:
    """Yield the files of a dialect's distribution: the path of each in it, and its text."""
    words = {
        "name": name,
        "title": title_of(name) if title is None else title,
        "package": f"{name}_dialect",
        "distribution": distribution_of(name),
    }
    for file in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        path = file.relative_to(TEMPLATE).as_posix().removesuffix(SUFFIX)
        yield Path(path.replace("NAME", name).replace("DOT", ".")), Template(file.read_text("utf-8")).substitute(words)


def _check_name(name: str, installed: Collection[str]) -> None:
    if _NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise CannotWrite(
            f"{name!r} cannot be a dialect's name: use a-z, 0-9 and _, a letter first, 32 characters at most, and no "
            "keyword of Python"
        )
    if name in installed:
        raise CannotWrite(f"a dialect named {name!r} is installed: choose another name")
    if name in _taken_in_events():
        raise CannotWrite(f"{name!r} cannot be a dialect's name: context.{name} of an event has another meaning")


def _check_title(title: str) -> None:
    """Raise CannotWrite on a title that would end the strings of Python and TOML in which it stands."""
    if not title.strip() or not title.isprintable() or len(title) > MOST_OF_A_TITLE or set(title) & set('"\\{}'):
        raise CannotWrite(
            f"{title!r} cannot be a title: use {MOST_OF_A_TITLE} characters at most, on one line, without quotation "
            "marks, backslashes and braces"
        )


def _taken_in_events() -> frozenset[str]:
    """Return the keys of an event's context that have a meaning: what a dialect keeps there has its name as its key."""
    context = load(CANONICAL)["event"].document["$defs"]["context"]
    return frozenset(context["properties"])
