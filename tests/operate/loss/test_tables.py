"""The tables of what is lost that come with the gateway: they are what generated events show, and the page has them."""

import json

import attrs
import pytest

from gateway.ingest.registry import Installed
from gateway.operate.loss.compare import Fate
from gateway.operate.loss.samples import Sample, samples_of
from gateway.operate.loss.table import Table, generate, of_numbers, shipped
from gateway.testing import subject
from tests.operate.loss.make import CORPUS, LOSS, PAGE, accepted, places, speakers
from tests.operate.loss.page import MARK, generated

SPEAKERS = speakers()
NAMES = [each.dialect.name for each in SPEAKERS]
IN_SUITE = 100
"""Events of a pair that are looked at in each run, beside those that have shown what is rare."""
each_source = pytest.mark.parametrize("source", SPEAKERS, ids=NAMES)


def table_of(source: Installed, target: Installed) -> Table:
    found = shipped(source.dialect.name, target.dialect.name)
    assert found is not None
    return found


def fates_of(table: Table) -> dict[str, list[Fate]]:
    return {place: sorted(of_place) for place, of_place in table.rows.items()}


def first_seen(table: Table) -> set[int]:
    return {first for of_place in table.rows.values() for first in of_place.values()}


def test_there_is_a_table_of_each_pair_and_no_other() -> None:
    there = {file.stem for file in (LOSS / "tables").iterdir()}
    assert there == {f"{source}-{target}" for source in NAMES for target in NAMES}


@each_source
def test_the_tables_say_what_becomes_of_generated_events(source: Installed) -> None:
    for target in SPEAKERS:
        table = table_of(source, target)
        rows = of_numbers(source, target, sorted({*range(IN_SUITE), *first_seen(table)}))
        assert fates_of(Table(table.source, table.target, table.events, rows)) == fates_of(table), target.dialect.name


@each_source
def test_nothing_is_lost_in_silence_and_no_vendor_refuses_what_is_emitted(source: Installed) -> None:
    for target in SPEAKERS:
        fates = [(place, fate) for place, each in table_of(source, target).rows.items() for fate in each]
        assert [each for each in fates if each[1].what == "refused"] == []
        assert [each for each in fates if each[1].what in ("lost", "changed") and not each[1].to] == []


@each_source
def test_the_samples_are_accepted_requests_of_the_corpus_and_fill_each_place_that_it_fills(source: Installed) -> None:
    """If this fails, python -m tests.operate.loss.make 100000 makes samples and tables anew."""
    name = source.dialect.name
    requests = [json.dumps(each) for each in accepted(subject(name, CORPUS / name))]
    samples = samples_of(source)
    assert [each for each in samples if json.dumps(attrs.asdict(each)) not in requests] == []
    filled = places(source, [Sample(**json.loads(each)) for each in requests])
    assert filled - table_of(source, source).rows.keys() == set()


def test_no_sample_holds_a_secret_of_the_corpus() -> None:
    for name in NAMES:
        listed = json.loads((CORPUS / name / "_credentials.json").read_text("utf-8"))
        public = {
            kind.name for each in SPEAKERS if each.dialect.name == name for kind in each.dialect.kinds if kind.public
        }
        text = (LOSS / "samples" / f"{name}.json").read_text("utf-8")
        assert [each["value"] for each in listed if each["kind"] not in public and each["value"] in text] == []


def test_the_page_has_all_tables() -> None:
    assert PAGE.read_text("utf-8").partition(MARK)[2] == generated(SPEAKERS).removeprefix(MARK)


def test_the_same_events_are_generated_each_time() -> None:
    source, target = SPEAKERS[0], SPEAKERS[-1]
    assert generate(source, target, 50) == generate(source, target, 50)


def test_a_table_is_the_same_after_its_file() -> None:
    table = table_of(SPEAKERS[0], SPEAKERS[1])
    assert Table.of_json(json.loads(json.dumps(table.as_json()))) == table
