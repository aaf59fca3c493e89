"""The pytest plugin, as a stranger's pytest runs it: in a directory and a process of its own."""

import re
import subprocess
import sys
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

import pytest

from gateway.ingest.registry import discover
from gateway.testing.bugs import REMEDIES
from tests.kit.generated import Generated, generated

PLUGIN = ("-p", "gateway.pytest_plugin")
EVERY_ROUTE = "cases/every route has a case that is accepted"
OWN_TEST = """
import pytest
from gateway.testing import Check
from gateway.testing.check import fail

def broken():
    fail("the answer was 500\\x1b[31m", "let parse return a fault")

@pytest.mark.parametrize("check", [Check("a/bad", broken)], ids=str)
def test_of_mine(check):
    check.run()
"""


@pytest.fixture
def acme(tmp_path: Path) -> Generated:
    """A new dialect."""
    return generated("acme", tmp_path / "acme")


def pytest_in(folder: Path, acme: Generated, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGIN, *arguments],
        cwd=folder,
        env=acme.env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def results_in(out: str) -> list[str]:
    """Return the lines of `pytest -rA` that name a test and what became of it."""
    return [line for line in out.splitlines() if line.startswith(("PASSED ", "FAILED ", "ERROR "))]


def test_the_checks_are_added_to_what_is_collected(acme: Generated) -> None:
    own = f"tests/test_conformance.py::test_the_dialect_keeps_its_promises[{EVERY_ROUTE}]"
    code, out, err = pytest_in(acme.folder, acme, "--dialect", "acme", "-k", "every and route", "-rA")
    assert (code, err, results_in(out)) == (0, "", [f"PASSED {own}", f"PASSED acme::{EVERY_ROUTE}"])
    counts = re.search(r"collected ([0-9]+) items / ([0-9]+) deselected / 2 selected", out)
    assert counts is not None
    assert int(counts[1]) - int(counts[2]) == 2


def test_they_run_in_any_directory_and_on_several_workers(acme: Generated, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    asked = ("--dialect", "acme", f"--corpus={acme.corpus}", "-k", "every and route", "-rA")
    code, out, err = pytest_in(elsewhere, acme, *asked, "-p", "xdist", "-n", "2")
    assert (code, err, results_in(out)) == (0, "", [f"PASSED acme::{EVERY_ROUTE}"])


def test_a_failed_check_prints_what_to_do_and_no_traceback(acme: Generated) -> None:
    for file in acme.corpus.glob("an_event_*.json"):
        file.unlink()
    code, out, _ = pytest_in(acme.folder, acme, "--dialect", "acme", "-k", "acme and every")
    start, end = out.index(f" acme: {EVERY_ROUTE} "), out.index("short test summary")
    headline, wrong, nearest, remedy, *rest = out[start:end].splitlines()
    assert (code, headline.strip(" _")) == (1, f"acme: {EVERY_ROUTE}")
    assert wrong == "no case of tests/corpus/acme has a request to route event that is accepted whole"
    assert nearest == (
        "  event: POST /api/acme/v1/events of a_body_that_is_no_event_is_refused was answered 400"
        ' {"ok": false, "error": "body"}'
    )
    assert remedy.startswith("  To do: ")
    assert len(rest) == 1


def test_the_name_of_a_case_never_commands_a_terminal(acme: Generated) -> None:
    (acme.corpus / "an_event_is_stored.json").rename(acme.corpus / "crimson \x1b[31m.json")
    code, out, _ = pytest_in(acme.folder, acme, "--dialect", "acme", "--collect-only", "-q", "-k", "crimson")
    assert (code, out.splitlines()[:2]) == (
        0,
        [
            "tests/test_conformance.py::test_the_dialect_keeps_its_promises[cases/crimson \\x1b[31m]",
            "acme::cases/crimson \\u001b[31m",
        ],
    )


def test_what_the_dialect_does_now_is_written_into_the_cases_first(acme: Generated) -> None:
    case = acme.corpus / "an_event_is_stored.json"
    text = case.read_text()
    case.write_text(text.replace("202", "200"))
    asked = ("--dialect", "acme", "--accept", "-k", "acme and an_event_is_stored", "-p", "xdist", "-n", "1", "-rA")
    code, out, _ = pytest_in(acme.folder, acme, *asked)
    assert (code, results_in(out)) == (0, ["PASSED acme::cases/an_event_is_stored"])
    assert "\naccepted: tests/corpus/acme/an_event_is_stored.json\n" in out
    assert case.read_text() == text


def test_one_check_can_be_asked_for_by_its_id(acme: Generated) -> None:
    asked = ("--dialect", "acme", "-rA", "-p", "xdist", f"acme::{EVERY_ROUTE}")
    for more in ((), ("-n", "1")):
        code, out, err = pytest_in(acme.folder, acme, *asked, *more)
        assert (code, err, results_in(out)) == (0, "", [f"PASSED acme::{EVERY_ROUTE}"])


def test_an_id_that_no_check_has_is_told(acme: Generated) -> None:
    code, _, err = pytest_in(acme.folder, acme, "--dialect", "acme", "acme::cases/red \x1b[31m")
    said = "no check of acme is named 'cases/red \\x1b[31m'; -k TEXT picks those with TEXT in their name"
    assert (code, err) == (4, f"ERROR: {said}\n\n")


def test_a_dialect_that_ends_the_process_is_told_and_ends_nothing(acme: Generated) -> None:
    render = acme.folder / "acme_dialect" / "render.py"
    render.write_text(render.read_text().replace("    [outcome]", "    raise SystemExit(0)\n    [outcome]"))
    line = render.read_text().partition("raise SystemExit")[0].count("\n") + 1
    code, out, _ = pytest_in(acme.folder, acme, "--dialect", "acme", "acme::cases/an_event_is_stored")
    start, end = out.index("FAILURES"), out.index("short test summary")
    assert (code, out[start:end].splitlines()[1:-1]) == (
        1,
        [
            "________________________ acme: cases/an_event_is_stored ________________________",
            f"the dialect raised SystemExit: 0 (render.py:{line} in event), which ends a process",
            f"  To do: {REMEDIES['render']}",
        ],
    )


def test_a_corpus_that_cannot_be_written_is_told_in_one_line(acme: Generated, tmp_path: Path) -> None:
    case = acme.corpus / "an_event_is_stored.json"
    elsewhere = tmp_path / "red \x1b[31m.json"
    elsewhere.write_text(case.read_text().replace("202", "200"))
    case.unlink()
    case.symlink_to(elsewhere)
    code, _, err = pytest_in(acme.folder, acme, "--dialect", "acme", "--accept")
    shown = str(elsewhere).replace("\x1b", "\\u001b")
    said = (
        f"tests/corpus/acme/{case.name}: it is a link to {shown}, out of tests/corpus/acme. To do: put the case itself "
    )
    assert (code, err) == (4, f"ERROR: {said}into the folder, or take the link away\n\n")
    assert "200" in elsewhere.read_text()


def test_a_check_in_a_test_of_ones_own_prints_the_same(acme: Generated, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(OWN_TEST)
    code, out, _ = pytest_in(tmp_path, acme, "test_mine.py")
    start, end = out.index("FAILURES"), out.index("short test summary")
    assert (code, out[start:end].splitlines()[1:-1]) == (
        1,
        [
            "_____________________________ test_of_mine[a/bad] ______________________________",
            "the answer was 500\\u001b[31m",
            "  To do: let parse return a fault",
        ],
    )


def test_what_is_wrong_with_a_corpus_is_said_where_a_module_asks_for_its_checks(acme: Generated) -> None:
    (acme.corpus / "_credentials.json").write_text('[{"kind": "api_kee", "value": "acme_1"}]')
    code, out, _ = pytest_in(acme.folder, acme)
    start, end = out.index("ERRORS"), out.index("short test summary")
    where = acme.corpus / "_credentials.json"
    assert (code, out[start:end].splitlines()[1:-1]) == (
        2,
        [
            "__________________ ERROR collecting tests/test_conformance.py __________________",
            f"{where}: credential kind 'api_kee' is none of the dialect's: api_key",
            "  To do: name one that it has, or add it to the dialect; docs/corpus.md has the format",
        ],
    )


INSTALLED = ", ".join(sorted(["acme", *(dialect.name for dialect in discover())]))
WRONG_USES = {
    ("--dialect", "acm\x1be"): (
        f"no dialect 'acm\\x1be' is installed; there is: {INSTALLED}. To do: name it in an entry point of the group "
        "gateway.dialects, and install it: pip install -e ."
    ),
    ("--dialect", "acme", "--corpus", "nowhere"): (
        "there is no corpus at nowhere. To do: run this where tests/corpus/acme lies, or say where: --corpus FOLDER "
        "(docs/corpus.md has the format)"
    ),
    ("--dialect", "acme", "--dialect", "tranthor", "--corpus", "x"): (
        "--corpus is the corpus of one dialect: name one with --dialect"
    ),
    ("--accept",): "--corpus and --accept need --dialect NAME",
}


def test_a_wrong_use_is_told_in_one_line(acme: Generated) -> None:
    uses = [[*PLUGIN, *arguments] for arguments in WRONG_USES]
    program = f"import pytest; print([int(pytest.main(use)) for use in {uses!r}])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=acme.folder, env=acme.env, capture_output=True, text=True, check=False
    )
    said = "".join(f"ERROR: {said}\n\n" for said in WRONG_USES.values())
    assert (done.returncode, done.stdout, done.stderr) == (0, "[4, 4, 4, 4]\n", said)


def test_a_run_that_does_not_ask_for_it_imports_nothing_of_the_gateway(acme: Generated, tmp_path: Path) -> None:
    # A module that is removed after its import would not be seen, but nobody does that.
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_terminal_summary(terminalreporter):\n"
        "    names = sorted(name for name in sys.modules if name.split('.')[0] in ('gateway', 'hypothesis'))\n"
        "    terminalreporter.line(f'imported: {names}')\n"
    )
    (tmp_path / "test_mine.py").write_text("def test_of_mine():\n    pass\n")
    code, out, _ = pytest_in(tmp_path, acme, "test_mine.py")
    [line] = [line for line in out.splitlines() if line.startswith("imported: ")]
    assert (code, line) == (0, "imported: ['gateway', 'gateway.pytest_plugin']")


def test_pytest_finds_the_plugin_by_an_entry_point() -> None:
    setup_cfg = ConfigParser()
    setup_cfg.read(Path(__file__).parents[2] / "setup.cfg")
    module = setup_cfg["options.entry_points"]["pytest11"].strip().removeprefix("gateway = ")
    assert (module, find_spec(module) is not None) == ("gateway.pytest_plugin", True)
