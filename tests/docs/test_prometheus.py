"""examples/prometheus/ and the table of docs/operate/watch.md, compared with what a gateway answers when scraped."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import attrs
import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.ingest.registry import discover
from gateway.keys.keyring import Keyring
from gateway.operate.metrics.page import MetricsPage
from gateway.records.families import FAMILIES
from gateway.records.metrics import Meter
from gateway.storage.engines import open_store
from tests.docs.expectations import EXAMPLES, PATIENCE, program
from tests.docs.readme import ROOT, blocks, code, paste, rows, section
from tests.faults.traffic import keys_of
from tests.kit.serving import serving

FOLDER = EXAMPLES / "prometheus"
WATCH = (ROOT / "docs" / "operate" / "watch.md").read_text("utf-8")
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
NAME = re.compile(r"\b(?:gateway|process|python)_[a-z_]+\b")
NOT_SERVED = {"gateway_reader_lag_seconds"}  # PostgreSQL has it, of which the exposition is asked below
ONCE_ERASED = {"gateway_project_erased_total": {"project", "dialect"}}  # it has no rows before the first erasure
HISTOGRAMS = {family.name for family in FAMILIES if family.bounds}


@attrs.frozen
class Scraped:
    """What a gateway answered at first, and the names of the labels of each metric once it had something to tell."""

    first: str
    labels: Mapping[str, set[str]]


def labels_in(text: str) -> Mapping[str, set[str]]:
    """Return the names of the labels of each metric."""
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name, named = sample.name, set(sample.labels)
            if family.type == "histogram":
                name, named = family.name, named - {"le"}
            labels.setdefault(name, set()).update(named)
    return labels


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Scraped:
    with serving(tmp_path_factory.mktemp("scraped") / "data") as served:
        first = requests.get(f"{served.url}/-/metrics", timeout=PATIENCE).text
        # Of projects there is nothing to tell before something came in.
        body, key = {"event": "seen", "messageId": "m-1", "userId": "u-1"}, keys_of(served.greeting)["tranthor"]
        named = {"Authorization": f"Basic {key}"}
        sent = requests.post(f"{served.url}/api/public/apps/track", json=body, headers=named, timeout=PATIENCE)
        later = requests.get(f"{served.url}/-/metrics", timeout=PATIENCE).text
    assert sent.status_code == 204
    return Scraped(first, labels_in(later))


def promtool(*arguments: str, stdin: str = "") -> str:
    """Run promtool, which must find nothing to complain about; return what it printed."""
    command = [program("promtool"), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def panels() -> Iterator[dict[str, Any]]:
    """Yield the panels of the dashboard that show something."""
    return (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def unknown(texts: Iterable[str], scraped: Scraped) -> set[str]:
    """Return the names of metrics in some texts that no gateway has."""
    there = {
        *scraped.labels,
        *NOT_SERVED,
        *[f"{name}{suffix}" for name in HISTOGRAMS for suffix in ("_bucket", "_count", "_sum")],
    }
    return {name for text in texts for name in NAME.findall(text)} - there


def test_prometheus_takes_the_configuration_and_the_rules_as_the_readme_checks_them() -> None:
    program("promtool")
    [block] = blocks("sh", (FOLDER / "README.md").read_text("utf-8"))
    done = paste(f"set -e\n{block}")
    assert (done.returncode, done.stderr, done.stdout.count("SUCCESS")) == (0, "", 4)


def test_each_rule_fires_in_its_trouble_and_none_where_all_is_well() -> None:
    tests = ROOT / "tests" / "docs" / "alerts_test.yml"
    promtool("test", "rules", str(tests))
    fired = set(re.findall(r"alertname=\"(\w+)\"}', value: 1", tests.read_text("utf-8")))
    assert fired == {rule["alert"] for rule in RULES}


def test_the_page_explains_each_rule_in_the_rules_order() -> None:
    named = [name for row in rows(section("What to watch", WATCH)) for name in code(row[0])]
    assert sorted(named) == sorted(rule["alert"] for rule in RULES)


def test_every_metric_in_rules_dashboard_and_page_is_one_that_a_gateway_has(scraped: Scraped) -> None:
    assert unknown([str(rule) for rule in RULES], scraped) == set()
    assert unknown([*expressions(), json.dumps(DASHBOARD["templating"])], scraped) == set()
    assert unknown(code(section("What to watch", WATCH)), scraped) == set()


def test_prometheus_lints_a_scrape_without_a_complaint(scraped: Scraped) -> None:
    assert promtool("check", "metrics", stdin=scraped.first) == ""


async def test_the_page_lists_every_metric_with_its_labels(scraped: Scraped, prepared: str) -> None:
    on_postgres = MetricsPage(
        meter=Meter(),
        dialects=("toy",),
        ready=lambda: True,
        keyring=lambda: Keyring(b"", {}),
        clock=lambda: 0,
        store=open_store(prepared),
    )
    assert all(f"# TYPE {name} counter" in scraped.first for name in ONCE_ERASED)
    there = {**labels_in((await on_postgres.exposition()).decode()), **scraped.labels, **ONCE_ERASED}
    table = {
        name: set(code(labels)) for names, labels, _, _ in rows(section("All metrics", WATCH)) for name in code(names)
    }
    assert table == there
    parts = re.findall(r'gateway_storage_bytes{part="(\w+)"}', scraped.first)
    assert set(parts) <= set(code(section("All metrics", WATCH)))


def test_every_dialect_and_route_is_there_before_anything_was_sent_to_it(scraped: Scraped) -> None:
    timed = set(re.findall(r'duration_seconds_count{dialect="(\w+)",route="([^"]+)",status="\d+"}', scraped.first))
    assert timed == {
        (dialect.name, route)
        for dialect in discover()
        for route in (
            *[each.name for each in dialect.routes_for(frozenset())],
            *("(none)", "(preflight)"),
            *(["(static)"] if dialect.static_routes else []),
        )
    }
    for name in ("gateway_newest_event_timestamp_seconds", "gateway_quarantined_items", "gateway_queue_bytes"):
        assert f"\n{name} 0.0\n" in scraped.first


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    assert (DASHBOARD["schemaVersion"], [each["name"] for each in DASHBOARD["templating"]["list"]]) == (
        39,
        ["datasource", "instance"],
    )
    everything = DASHBOARD["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for panel in panels():
        assert panel["targets"], panel["title"]
        for target in (panel, *panel["targets"]):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for panel in everything:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    for one, other in combinations([panel["gridPos"] for panel in everything], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )


def test_prometheus_understands_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    filled = [each.replace("$__rate_interval", "5m").replace("$instance", ".*") for each in expressions()]
    rules = [{"record": f"dashboard:{number}", "expr": each} for number, each in enumerate(filled)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))
