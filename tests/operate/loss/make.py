"""Makes the files that the tables of loss come from: `python -m tests.operate.loss.make [EVENTS]`.

Samples are the accepted requests of the corpus, one of each shape. With a number the tables are made of so many events
a pair; docs/loss.md is written from them in any case. 100,000 events a pair take about three minutes.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.dialect import Route
from gateway.ingest.registry import Installed, discover, install
from gateway.ingest.router import Router
from gateway.operate.loss.generate import reads
from gateway.operate.loss.samples import Sample
from gateway.operate.loss.table import Rows, Table, add, generate_all
from gateway.testing import Subject, subject
from gateway.testing.corpus.message import SentRequest
from tests.operate.loss.page import MARK, generated

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "corpus"
PAGE = ROOT / "docs" / "loss.md"
LOSS = ROOT / "gateway" / "operate" / "loss"
MOST_BYTES = 4_000


def speakers() -> list[Installed]:
    """Return the dialects that can emit, with no switch on."""
    return [each for each in install(discover(), {}) if each.dialect.emit is not None]


def samples(about: Subject) -> list[dict[str, Any]]:
    """Return the accepted requests of a corpus, one of each shape, and of each set of places that their events fill."""
    listed = sorted(accepted(about), key=json.dumps)
    chosen = {(_shape(each), *sorted(places(about.installed, [Sample(**each)]))): each for each in listed}
    return sorted(chosen.values(), key=json.dumps)


def places(installed: Installed, samples: list[Sample]) -> set[str]:
    """Return the places that the events of some requests fill."""
    rows: Rows = {}
    for number in range(len(samples)):
        for read in reads(installed, samples, number):
            add(rows, installed, read, 0)
    return set(rows)


def accepted(about: Subject) -> Iterator[dict[str, Any]]:
    """Yield all accepted requests of a corpus that are short, without their secrets."""
    gate = about.gate()
    router = Router((about.installed,), {})
    for case in about.corpus.cases:
        if case.switches or "limit" in case.document:
            continue
        for step in case.steps:
            request = SentRequest.of(step["request"])
            match = router.match("", request.method, request.head.path)
            if len(request.body) > MOST_BYTES or match is None or not isinstance(match.endpoint, Route):
                continue
            gate.storage.forget()
            gate.send(request)
            if gate.storage.bodies and not gate.storage.quarantined:
                sample = _sample(about.installed, match.endpoint, request)
                if sample is not None:
                    yield sample


def _sample(installed: Installed, route: Route, request: SentRequest) -> dict[str, Any] | None:
    secret = [place for kind in installed.dialect.kinds if not kind.public for place in kind.places]
    hidden = {where: {place.name.lower() for place in secret if place.where == where} for where in ("header", "body")}
    read = request.read()
    try:
        body = json.loads(request.body) if request.body else None
    except ValueError:
        return None
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name.lower() not in hidden["body"]}
    headers = {
        name: value
        for name, value in read.headers.items()
        if name not in hidden["header"] | {"content-type", "content-encoding", "idempotency-key"} and value.isascii()
    }
    sample: dict[str, Any] = {"route": route.name, "query": dict(read.query), "headers": headers}
    sample |= {"client_ip": request.client_ip, "body": body}
    try:
        json.dumps(sample, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character: the gateway mends it before anything is emitted
        return None
    return sample


def _shape(value: Any) -> str:
    """Return what two samples of one shape have in common: their names, and the types of their values."""
    return json.dumps(list(_types(value, "")))


def _types(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _types(value[key], f"{place}/{key}")
    elif isinstance(value, list) and value:
        for each in value[:3]:
            yield from _types(each, f"{place}/-")
    else:
        yield f"{place} {value if place == '/route' else type(value).__name__}"


def as_lines(listed: list[dict[str, Any]]) -> str:
    """Return samples as their file has them: one a line."""
    return "[\n" + ",\n".join([json.dumps(each, ensure_ascii=False) for each in listed]) + "\n]\n"


def write_samples(name: str) -> None:
    """Write the samples of a dialect."""
    file = LOSS / "samples" / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(as_lines(samples(subject(name, CORPUS / name))), "utf-8")


def write_table(table: Table) -> None:
    """Write a table that comes with the gateway."""
    file = LOSS / "tables" / f"{table.source}-{table.target}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(table.as_json(), indent=1) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?")
    parser.add_argument("--source", action="append", help="only the tables from this dialect (repeatable)")
    chosen = parser.parse_args()
    sources = [each for each in speakers() if not chosen.source or each.dialect.name in chosen.source]
    for each in sources:
        write_samples(each.dialect.name)
    for source in sources if chosen.events else ():
        for table in generate_all(source, speakers(), chosen.events):
            write_table(table)
    PAGE.write_text(PAGE.read_text("utf-8").partition(MARK)[0] + generated(speakers()), "utf-8")


if __name__ == "__main__":
    main()
