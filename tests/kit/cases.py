"""Reads the corpus: each case is data, a conversation with one dialect and what must be stored after it.

A case file is `tests/corpus/<dialect>/<a_sentence>.json`:

    {"source": "where this is promised",
     "switches": ["..."],                          switches that are on (optional)
     "limit": {"requests": 1, "seconds": 60},      a configured limit (optional)
     "steps": [{"request": {"method": "POST", "path": "/track?website_id=...", "headers": {...},
                            "json": ... | "text": "..." | "base64": "..."
                            | "repeat": {"before": "", "unit": "[", "times": 100000, "after": ""}},
                "answer": {"status": 200, "headers": {...}, "json": ... | "text": "..." | "base64": "..." }}],
     "events": [...],                              every canonical event stored, whole, in order
     "quarantined": [{"faults": [...], "payload": ...}]}          (optional)

`headers` of an answer are those that matter; without a body key the answer has no body. In a request's header `\\udcff`
stands for the byte FF, which is not UTF-8 (Python's `surrogateescape`). The clock stands at
2026-01-02T03:04:05.678Z, ids that the gateway makes are 00000000-0000-7000-8000-000000000001 and so on.
`tests/corpus/<dialect>/_credentials.json` lists what the key file holds, across projects.
"""

import base64
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs

from gateway.app import build_handler
from gateway.config import Config, DialectSettings, LimitSettings, ProjectSettings
from gateway.dialect import Dialect
from gateway.ingest.handler import IngestHandler
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.contract import Storage

CORPUS = Path(__file__).parents[1] / "corpus"
NOW = 1767323045678
SALT = b"a salt for tests"
NO_PROJECTS: Mapping[str, ProjectSettings] = {}


@attrs.frozen
class Case:
    """One case file and the dialect whose folder it lies in."""

    dialect: str
    name: str
    document: dict[str, Any]


def load() -> list[Case]:
    return [
        Case(file.parent.name, file.stem, json.loads(file.read_text("utf-8")))
        for file in sorted(CORPUS.glob("*/*.json"))
        if not file.name.startswith("_")
    ]


def body_of(message: dict[str, Any]) -> bytes:
    if "json" in message:
        return json.dumps(message["json"], ensure_ascii=False, separators=(",", ":")).encode()
    if "text" in message:
        return str(message["text"]).encode()
    if "base64" in message:
        return base64.b64decode(message["base64"])
    if "repeat" in message:
        parts = message["repeat"]
        return str(parts.get("before", "") + parts["unit"] * parts["times"] + parts.get("after", "")).encode()
    return b""


def same_body(answer: dict[str, Any], body: bytes | None) -> bool:
    """Compare whole bodies; JSON by value and by the order of its keys."""
    if "json" in answer:
        return body is not None and json.dumps(json.loads(body)) == json.dumps(answer["json"])
    return (body or b"") == body_of(answer)


def counted_ids() -> Callable[[int], str]:
    numbers = itertools.count(1)
    return lambda _now: f"00000000-0000-7000-8000-{next(numbers):012d}"


def keyring(dialects: Iterable[Dialect]) -> Keyring:
    """The credentials of all dialects' corpora together, as a server would hold them."""
    grants: dict[bytes, Grant] = {}
    for dialect in dialects:
        file = CORPUS / dialect.name / "_credentials.json"
        listed = json.loads(file.read_text("utf-8")) if file.exists() else []
        kinds = {kind.name: kind for kind in dialect.kinds}
        for number, each in enumerate(listed):
            grants[digest(SALT, dialect.name, each["kind"], kinds[each["kind"]].normalize(each["value"]))] = Grant(
                id=f"{dialect.name}-{number}",
                project=each.get("project", "default"),
                dialect=dialect.name,
                kind=each["kind"],
                scopes=frozenset(each.get("scopes", dialect.scopes)),
                origins=tuple(each.get("origins", ())),
                revoked=each.get("revoked", False),
            )
    return Keyring(SALT, grants)


def build(
    case: Case,
    storage: Storage,
    new_id: Callable[[int], str] | None = None,
    projects: Mapping[str, ProjectSettings] = NO_PROJECTS,
) -> IngestHandler:
    """A gateway of the case's dialect alone, but for the socket, set up as the case asks; ids are counted from 1 on."""
    dialects: tuple[Dialect, ...] = (import_module(f"dialects.{case.dialect}").dialect,)
    document = case.document
    limits = {case.dialect: LimitSettings(**document["limit"])} if "limit" in document else {}
    switches = dict.fromkeys(document.get("switches", ()), True)
    config = Config(dialects={case.dialect: DialectSettings(switches=switches)}, limits=limits, projects=projects)
    return build_handler(
        config, dialects, storage, keyring(dialects), clock=lambda: NOW, new_id=new_id or counted_ids()
    )
