"""Erasing one person: the whole of it, and its report as JSON and as lines for a person. Used by the command."""

from collections.abc import Sequence
from typing import Any

from gateway.operate.held.contents import Contents
from gateway.records.person import Person
from gateway.storage.erasing.eraser import ErasureReport, PayloadOf

COUNTS = ("events", "mentions", "parts_left", "receipts", "kept_requests", "quarantined", "rejected", "files")
_LINES = {
    "events": ("{} event{s} of this person erased", "{} event{s} of this person would be erased"),
    "mentions": (
        "{} event{s} of others had the id: replaced by [erased]",
        "{} event{s} of others with the id: it would be replaced by [erased]",
    ),
    "receipts": ("{} receipt{s} changed", "{} receipt{s} would be changed"),
    "kept_requests": ("{} kept request{s} erased", "{} kept request{s} would be erased"),
    "quarantined": ("{} quarantined item{s} erased", "{} quarantined item{s} would be erased"),
    "rejected": ("{} rejected request{s} erased", "{} rejected request{s} would be erased"),
    "files": ("{} file{s} erased", "{} file{s} would be erased, unless other events have the same"),
}
_PARTS_LEFT = "{} event{s} of others with the id within a longer text: left as it is"
NOT_COVERED = "not covered: what was exported, and what was sent on to other places"


def payload_of(contents: Contents) -> PayloadOf:
    """Return the function that an Eraser asks for the payloads of quarantined items."""

    def find(item: Any) -> bytes | None:
        payload = contents.of(item).payload
        return None if payload is None else payload.encode("utf-8", "surrogatepass")

    return find


def as_json(person: Person, report: ErasureReport, backups: Sequence[str], *, dry_run: bool) -> dict[str, Any]:
    """Return a report as `gateway erase --json` prints it."""
    return {
        "project": person.project,
        person.kind: person.id,
        "dry_run": dry_run,
        **{name: getattr(report, name) for name in COUNTS},
        "other_ids": [{kind: found} for kind, found in report.other_ids],
        "backups": list(backups),
        "left": list(report.left),
    }


def lines(report: ErasureReport, backups: Sequence[str], *, dry_run: bool) -> list[str]:
    """Return a report for a person, a line for each fact."""
    found = [_counted(texts[dry_run], getattr(report, name)) for name, texts in _LINES.items()]
    if report.parts_left:
        found.append(_counted(_PARTS_LEFT, report.parts_left))
    found += [f"seen with it: {kind} {identifier}" for kind, identifier in report.other_ids]
    found += [f"a backup made before has all of it: {name}" for name in backups]
    found += [f"left: {each}" for each in report.left]
    return [*found, NOT_COVERED]


def _counted(text: str, count: int) -> str:
    return text.format(count, s="" if count == 1 else "s")
