"""`docs/writing-a-dialect.md`: its Python runs in the order of the page, and what it names is there."""

import contextlib
import doctest
import fnmatch
import io
import json
import re
from pathlib import Path

import attrs
import pytest

import gateway.dialect
from gateway.cli.dialects.new import NEXT
from gateway.dialect import (
    MAX_CREDENTIAL,
    MAX_CREDENTIALS,
    MAX_ITEMS,
    MAX_VALUES,
    Dialect,
    Fault,
    OnInvalid,
    Reason,
    Refusal,
    Request,
    Response,
    Verdict,
)
from gateway.ingest.registry import GROUP
from gateway.testing import Check, CorpusCredential, Gate, SentRequest, dialect_checks, subject
from gateway.testing.check import Cost
from gateway.testing.run import run
from gateway.testing.scaffold.distribution import files
from tests.docs.readme import ROOT, blocks, code, entry_points, rows, section

PAGE = (ROOT / "docs" / "writing-a-dialect.md").read_text("utf-8")
EVENTS = (ROOT / "docs" / "events.md").read_text("utf-8")
BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of schemas that the page's dialect names, with the schema that the page shows."""
    package = tmp_path / "acme_dialect" / "schemas"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "event.json").write_text(blocks("json", PAGE)[0], "utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def dialect_of_the_page() -> Dialect:
    """Return the dialect that the page's Python makes."""
    names: dict[str, object] = {}
    for block in blocks("python", PAGE):
        exec(block, names)
    made = names["dialect"]
    assert isinstance(made, Dialect)
    return made


def checks_of_the_page(folder: Path) -> list[Check]:
    """Return the checks of the page's dialect, whose corpus is the page's case, written into a folder."""
    folder = folder / "corpus"
    folder.mkdir()
    (folder / "an_event_is_stored.json").write_text(blocks("json", PAGE)[1], "utf-8")
    (folder / "_credentials.json").write_text('[{"kind": "api_key", "value": "acme_1"}]', "utf-8")
    return dialect_checks(subject("acme", folder, dialect_of_the_page()))


def failures_of(page: str) -> list[str]:
    """Run the blocks of a page in one namespace; return what doctest says of those that print something else."""
    names: dict[str, object] = {}
    found = []
    for number, (language, text) in enumerate(BLOCK.findall(page)):
        if language == "python":
            exec(compile(text, f"block {number}", "exec"), names)
            continue
        test = doctest.DocTestParser().get_doctest(text, names, f"block {number}", None, 0)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            runner = doctest.DocTestRunner(verbose=False)
            runner.run(test, out=said.write, clear_globs=False)
        names = test.globs
        if runner.failures:
            found.append(said.getvalue())
    return found


def test_its_python_runs_in_its_order_and_prints_what_it_shows(schemas: None) -> None:
    assert failures_of(PAGE) == []


def test_its_dialect_passes_the_kit_with_its_case(schemas: None, tmp_path: Path) -> None:
    quick = [check for check in checks_of_the_page(tmp_path) if check.cost in (Cost.PURE, Cost.GENERATED)]
    failed: list[str | None] = []
    assert run(quick, lambda result: failed.append(result.problem)) == 0, [each for each in failed if each]


def test_a_wrong_output_is_found() -> None:
    [said] = failures_of("```python\nnumber = 1\n```\n\n```pycon\n>>> number\n2\n```\n")
    assert "Expected:\n    2\nGot:\n    1" in said


# What the page names


def table(title: str, head: str) -> list[list[str]]:
    """Return the rows of the table that begins with a head, under a heading of the page."""
    [found] = re.findall(rf"^\| {re.escape(head)} \|.*\n(?:\|.*\n)+", section(title, PAGE), re.MULTILINE)
    return rows(found)


def names_in_code() -> set[str]:
    """Return what the page names in running text that looks like a class, a member of one, or a constant."""
    words = {word for text in code(PAGE) for word in re.findall(r"\b[A-Za-z_]+(?:\.[A-Za-z_]+)*\b", text)}
    return {word for word in words if re.fullmatch(r"[A-Z][A-Za-z]+\.[a-z_]+|[A-Z]+_[A-Z_]+", word)}


def is_there(name: str) -> bool:
    """Tell whether a name is a field of a class of the contract, a reason, a rule of OnInvalid, or a constant."""
    owner, dot, field = name.partition(".")
    if not dot:
        return name in Reason.__members__ or name in OnInvalid.__members__ or hasattr(gateway.dialect, name)
    return field in [each.name for each in attrs.fields(getattr(gateway.dialect, owner))]


def test_the_fields_reasons_and_constants_that_it_names_are_there() -> None:
    named = names_in_code()
    assert {"Route.paths", "NO_CREDENTIAL", "REJECT_ITEM", "MAX_ITEMS"} <= named
    assert sorted(name for name in named if not is_there(name)) == []


def test_its_limits_are_those_of_the_code() -> None:
    said = dict(re.findall(r"`(MAX_\w+)` \(([\d,]+)\)", PAGE))
    limits = {"MAX_ITEMS": MAX_ITEMS, "MAX_VALUES": MAX_VALUES, "MAX_CREDENTIALS": MAX_CREDENTIALS}
    assert said == {name: f"{value:,}" for name, value in {**limits, "MAX_CREDENTIAL": MAX_CREDENTIAL}.items()}


def test_its_table_of_rules_for_a_bad_item_has_them_all() -> None:
    assert [code(row[0])[0] for row in table("What is wrong with a request, and what to answer", "choose")] == [
        each.name for each in OnInvalid
    ]


def test_the_verdicts_that_it_lists_are_those_that_there_are() -> None:
    [listed] = re.findall(r"all five verdicts: (.*?)\n\n", PAGE, re.DOTALL)
    words = [each.value for each in Verdict]
    assert list(dict.fromkeys(word for word in code(listed) if word in words)) == words


def test_an_id_that_cannot_be_stored_has_the_fault_that_it_names(schemas: None) -> None:
    refused: list[Refusal] = []

    def refuse(_request: Request, refusal: Refusal) -> Response:
        refused.append(refusal)
        return Response(400)

    gate = Gate.of(attrs.evolve(dialect_of_the_page(), refuse=refuse), [CorpusCredential("api_key", "acme_1")])
    for body in (rb'{"id": "1", "event": "e", "user": "\ud83d"}', rb'{"id": "2", "event": "e", "user": "\u0000"}'):
        gate.send(SentRequest("POST", "/api/acme/v1/events", {"Authorization": "Bearer acme_1"}, body))
    faults = [fault for refusal in refused for outcome in refusal.outcomes for fault in outcome.faults]
    assert faults == [Fault("lone_surrogate", "/user"), Fault("nul_in_identifier", detail={"field": "user_id"})]
    assert {fault.code for fault in faults} <= set(code(section("Hostile input", PAGE)))


def test_the_places_that_it_names_are_those_of_the_page_on_events() -> None:
    places = {name for title in ("Fields", "Context") for row in rows(section(title, EVENTS)) for name in code(row[0])}
    named = {name for row in table("What goes where", "fact") for name in code(row[1])}
    assert len(named) > 10
    assert sorted(named - places) == []


def test_its_table_of_checks_has_every_family(schemas: None, tmp_path: Path) -> None:
    listed = [code(row[0])[0] for row in table("Test it", "family")]
    families = dict.fromkeys(check.name.partition("/")[0] for check in checks_of_the_page(tmp_path))
    # The page's dialect is not installed, so that nothing of it is killed, and at first it cannot emit.
    assert [name for name in listed if name not in ("kill", "emit")] == list(families)


def test_the_commands_that_a_new_dialect_prints_are_on_it() -> None:
    typed = [line for block in blocks("sh", PAGE) for line in block.splitlines()]
    printed = [line.strip() for line in NEXT.format(folder="acme-dialect", name="acme").splitlines() if line[:1] == " "]
    assert len(printed) > 3
    assert [line for line in printed if line not in typed] == []


def test_its_table_of_files_is_of_those_that_a_new_dialect_has() -> None:
    there = [path.as_posix() for path, _ in files("acme")]
    listed = [name for row in table("Five minutes", "file") for name in code(row[0])]
    assert [name for name in listed if not fnmatch.filter(there, name)] == []
    modules = fnmatch.filter(there, "acme_dialect/*.py")
    unlisted = [name for name in modules if name not in listed]
    assert unlisted == ["acme_dialect/schemas/__init__.py"]


def test_its_entry_point_is_written_as_that_of_a_dialect_that_is_installed() -> None:
    [(group, name, value)] = re.findall(r'^ *\[project\.entry-points\."(.*)"\]\n *(\w+) = "(.*)"$', PAGE, re.MULTILINE)
    toy = entry_points((ROOT / "tests" / "toy" / "toy_dialect-1.dist-info" / "entry_points.txt").read_text("utf-8"))
    assert {group: {name: value}} == {GROUP: {"acme": toy[GROUP]["toy"].replace("toy", "acme")}}


def test_its_json_is_json() -> None:
    schema, case = (json.loads(block) for block in blocks("json", PAGE))
    assert (set(schema), set(case)) == ({"type", "required", "properties"}, {"source", "steps", "events"})
