"""`gateway dialects check`: the suite without pytest, its exit code, and mistakes that are told in one line."""

import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.ingest.registry import discover
from gateway.testing.bugs import REMEDIES
from tests.kit.generated import Generated, generated
from tests.kit.serving import GATEWAY

MINUTES = 180  # seconds: it takes five where nothing else runs
EVERY_ROUTE = "cases/every route has a case that is accepted"
INSTALLED = ", ".join(sorted(["acme", *(dialect.name for dialect in discover())]))


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generated]:
    """A new dialect that is installed here, with its folder as the current one."""
    written = generated("acme", tmp_path / "acme")
    monkeypatch.syspath_prepend(written.folder)
    monkeypatch.chdir(written.folder)
    forget_the_package()  # other tests write one of this name, too
    yield written
    forget_the_package()


def forget_the_package() -> None:
    """Have the dialect's package imported anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_dialect"]:
        del sys.modules[name]


def check(*arguments: str) -> Result:
    """Run the command in this process: a new Python would take a second for each of them."""
    return CliRunner().invoke(main, ["dialects", "check", *arguments])


def told(*arguments: str) -> tuple[int, str, str]:
    done = check(*arguments)
    return done.exit_code, done.stdout, done.stderr


def test_a_dialect_that_keeps_its_promises_is_told_so(acme: Generated) -> None:
    code, out, err = told("acme", "--only", "every route")
    assert (code, out, err) == (0, "acme: 1 check\n1 check, 0 failed\n", "")
    assert told("acme", "--corpus", str(acme.corpus), "--only", "every route") == (code, out, err)


def test_the_running_check_is_named_with_v(acme: Generated) -> None:
    code, out, err = told("acme", "-v", "--only", "purity/parse")
    assert (code, out.splitlines()[-1]) == (0, "1 check, 0 failed")
    assert err == "purity/parse gives the same again, and changes nothing\n"


def test_a_promise_that_is_not_kept_is_printed_with_what_to_do(acme: Generated) -> None:
    for file in acme.corpus.glob("an_event_*.json"):
        file.unlink()
    code, out, err = told("acme", "--only", EVERY_ROUTE)
    begun, first, wrong, nearest, remedy, *_, last = out.splitlines()
    assert (code, begun, first, err) == (1, "acme: 1 check", f"FAILED {EVERY_ROUTE}", "")
    assert wrong.startswith("  no case of tests/corpus/acme has a request to route event ")
    assert nearest.startswith("    event: POST /api/acme/v1/events of a_body_that_is_no_event_is_refused was answered ")
    assert remedy.startswith("    To do: ")
    assert last == "1 check, 1 failed"


def test_what_the_dialect_does_now_is_written_into_the_cases(acme: Generated) -> None:
    texts = {file: file.read_text() for file in sorted(acme.corpus.iterdir())}
    assert told("acme", "--accept", "--only", EVERY_ROUTE) == (
        1,
        "",
        f"Error: no case of acme has {EVERY_ROUTE!r} in its name\n",
    )
    stored, twice = acme.corpus / "an_event_is_stored.json", acme.corpus / "an_event_sent_twice_is_stored_once.json"
    for file in (stored, twice):
        file.write_text(texts[file].replace("202", "200").replace('"signup"', '"logout"', 1))
    assert told("acme", "--only", "an_event_is_stored")[0] == 1
    accepted = "accepted: tests/corpus/acme/an_event_is_stored.json\nacme: 1 check\n1 check, 0 failed\n"
    assert told("acme", "--accept", "--only", "cases/an_event_is_stored") == (0, accepted, "")
    texts[stored] = texts[stored].replace('"signup"', '"logout"')
    texts[twice] = texts[twice].replace("202", "200").replace('"signup"', '"logout"', 1)
    assert {file: file.read_text() for file in sorted(acme.corpus.iterdir())} == texts


def test_what_a_corpus_says_never_commands_a_terminal(acme: Generated) -> None:
    folder = acme.folder / "red \x1b[31m"
    folder.mkdir()
    code, out, _ = told("acme", "--corpus", str(folder), "--only", EVERY_ROUTE)
    assert (code, "red \\u001b[31m" in out, "\x1b" in out) == (1, True, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("acmee",),
            f"no dialect 'acmee' is installed; there is: {INSTALLED}. To do: name it in an entry point of the group "
            "gateway.dialects, and install it: pip install -e .",
        ),
        (
            ("acme", "--corpus", "no\x1bwhere"),
            "there is no corpus at no\\u001bwhere. To do: run this where tests/corpus/acme lies, or say where: "
            "--corpus FOLDER (docs/corpus.md has the format)",
        ),
        (
            ("tranthor", "--corpus", "tests/corpus/acme"),
            "tests/corpus/acme/_credentials.json: credential kind 'api_key' is none of the dialect's: write_key. "
            "To do: name one that it has, or add it to the dialect; docs/corpus.md has the format",
        ),
        (("acme", "--only", "evry"), "no check of acme has 'evry' in its name"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_what_keeps_the_suite_from_being_run_is_told_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    assert told(*arguments) == (1, "", f"Error: {said}\n")


def test_a_package_that_is_missing_is_named(acme: Generated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)  # as Python marks what cannot be imported
    said = (
        "the package hypothesis is not installed, which makes inputs for the checks. To do: install the gateway with "
        "its extra `testing`: pip install 'event-gateway[testing]'"
    )
    assert told("acme") == (1, "", f"Error: {said}\n")


def test_other_commands_do_not_import_the_kit() -> None:
    listed = "import sys; from gateway.cli.main import main; print(sorted(n for n in sys.modules if n in WANTED))"
    wanted = ("gateway.testing", "hypothesis", "pytest")
    done = subprocess.run(
        [sys.executable, "-c", listed.replace("WANTED", repr(wanted))], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_new_dialect_passes_the_whole_suite(acme: Generated) -> None:
    whole = [*GATEWAY, "dialects", "check", "acme"]
    done = subprocess.run(whole, env=acme.env, capture_output=True, text=True, timeout=MINUTES, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert re.fullmatch(r"acme: ([0-9]+) checks\n\1 checks, 0 failed\n", done.stdout) is not None, done.stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("raise SystemExit(0)", "dialect acme (acme_dialect:dialect) cannot be loaded: SystemExit(0)"),
        (
            "class Mute(BaseException):\n    def __repr__(self):\n        raise ValueError\n\nraise Mute",
            "dialect acme (acme_dialect:dialect) cannot be loaded: Mute",
        ),
    ],
)
def test_a_dialect_that_ends_the_process_where_it_is_imported_is_told(acme: Generated, wrong: str, said: str) -> None:
    (acme.folder / "acme_dialect" / "__init__.py").write_text(wrong)
    remedy = "To do: mend what the message names, and install it again"
    assert told("acme") == (1, "", f"Error: a dialect cannot be loaded: {said}. {remedy}\n")


@pytest.mark.parametrize(
    ("module", "first", "wrong"),
    [
        ("parse", "    body, fault = ", "    if request.headers:\n        raise SystemExit(0)\n"),
        ("translate", "    sent = ", "    raise SystemExit(0)\n"),
        ("render", "    [outcome] = ", "    raise SystemExit(0)\n"),
    ],
)
def test_a_dialect_that_ends_the_process_in_a_check_is_told(
    acme: Generated, module: str, first: str, wrong: str
) -> None:
    file = acme.folder / "acme_dialect" / f"{module}.py"
    before, after = file.read_text().split(f"\n{first}", maxsplit=1)
    file.write_text(f"{before}\n{wrong}{first}{after}")
    line = f"{before}\n{wrong}".count("\n")
    ended = f"the dialect raised SystemExit: 0 ({module}.py:{line} in event), which ends a process"
    told_of = f"FAILED cases/an_event_is_stored\n  {ended}\n    To do: {REMEDIES[module]}\n\n1 check, 1 failed\n"
    assert told("acme", "--only", "an_event_is_stored") == (1, f"acme: 1 check\n{told_of}", "")
    said = f"Error: {ended}. To do: {REMEDIES[module]}\n"
    assert told("acme", "--accept", "--only", "an_event_is_stored") == (1, "", said)


def test_a_run_that_is_stopped_says_so_and_leaves_nothing(acme: Generated, tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    command = [*GATEWAY, "dialects", "check", "acme", "--only", "kill"]
    running = subprocess.Popen(
        command, env={**acme.env, "TMPDIR": str(place)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while running.poll() is None and not any(place.glob("gateway-*/*/log")):
        select.select([], [], [], 0.01)  # the check starts a gateway
    running.terminate()
    out, err = running.communicate(timeout=MINUTES)
    said = "Stopped: 1 of 1 checks did not end.\n"
    assert (running.returncode, out, err) == (130, "acme: 1 check\n0 checks, 0 failed\n", said)
    assert list(place.iterdir()) == []
