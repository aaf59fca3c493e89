"""The check that kills a gateway: on a dialect of ours, and on one that is installed here and makes ids by chance."""

import os
import re
import select
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest

from gateway.testing import Failure, Subject, subject
from gateway.testing.corpus.message import Answer
from gateway.testing.dialect.once import kill
from gateway.testing.dialect.once.load import ENOUGH, Load, Sent
from gateway.testing.dialect.once.process import PATIENCE
from tests.testing import small
from tests.testing.checking import failure, kept

TOLD = re.compile(
    r"after a kill -9, a restart and retries (\d+) of (\d+) events are missing, 0 stored twice, (\d+) never sent; the "
    "first is of POST /small-api/v1/event of an_event_is_stored"
)
NAME = "kill/what was answered is stored once"


def test_a_dialect_that_is_not_installed_is_not_tried(tmp_path: Path) -> None:
    assert list(kill.checks(small.subject_of(tmp_path))) == []


MODULE = """
    '''A small dialect of somebody else's.'''

    import uuid

    import attrs

    from tests.testing import small


    def by_chance(request):
        read = small.parse_event(request)
        items = [attrs.evolve(item, message_id=item.message_id or str(uuid.uuid4())) for item in read.items]
        return attrs.evolve(read, items=tuple(items))


    dialect = attrs.evolve({dialect}, name="{name}")
    """


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, dialect: str) -> Subject:
    """Install a dialect where this process and those that it starts find it; return it with one case."""
    site, corpus = folder / "site", folder / "corpus"
    info = site / f"{name}-1.dist-info"
    for each in (info, corpus):
        each.mkdir(parents=True)
    (site / f"{name}.py").write_text(dedent(MODULE).format(name=name, dialect=dialect), "utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[gateway.dialects]\n{name} = {name}:dialect\n", "utf-8")
    request = {"path": "/small-api/v1/event", "headers": {"x-small-key": small.KEY}, "json": {"name": "paid"}}
    step = {"request": request, "answer": {"status": 202}}
    small.subject_of(corpus, cases={"an_event_is_stored": {"source": "small 1", "steps": [step]}})
    monkeypatch.syspath_prepend(site)
    return subject(name, corpus)


def test_a_gateway_that_is_killed_loses_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept(installed(tmp_path, monkeypatch, "even_dialect", "small.DIALECT"), "kill") == [NAME]


def test_an_id_that_is_another_one_in_each_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = installed(tmp_path, monkeypatch, "odd_dialect", 'small.with_route("event", parse=by_chance)')
    said = failure(case, NAME)
    found = TOLD.fullmatch(said.wrong)
    assert found is not None
    missing, sent, never_sent = map(int, found.groups())
    assert (missing, never_sent >= sent > ENOUGH) == (sent, True)
    assert said.remedy == (
        "make Item.message_id of the request alone: what `parse` finds in one process it must find in the next one, too"
    )


def test_nothing_is_left_of_checks_that_are_killed() -> None:
    program = """if True:
        import os, time
        from gateway.testing.dialect.once.process import serving
        from gateway.testing.postgres.keeper import descendants
        from gateway.testing.temporary import temporary
        with temporary() as folder, temporary() as other:
            (folder / "gateway.toml").touch()
            with serving(folder / "data", folder / "gateway.toml"):
                print(folder.parent, *descendants(os.getpid()), flush=True)
                time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        folder, *family = killed.stdout.readline().split()
        ends = [os.pidfd_open(int(pid)) for pid in family]
        killed.send_signal(signal.SIGKILL)
    for end in ends:
        with os.fdopen(end) as waited:
            assert select.select([waited], [], [], PATIENCE)[0] == [waited]
    assert (len(family) > 2, Path(folder).exists()) == (True, False)


def answered(folder: Path, *ids: str) -> Load:
    case = small.subject_of(folder)
    load = Load(case, case.samples)
    sent = Sent("POST /a of a_case", case.samples[0].request, ids)
    load.answered.append((sent, Answer(200, {}, b"")))
    return load


@pytest.mark.parametrize(
    ("stored", "counts"),
    [
        ({"a": 1}, "1 of 2 events are missing, 0 stored twice, 0 never sent; the first is of POST /a of a_case"),
        (
            {"a": 1, "b": 2},
            "0 of 2 events are missing, 1 stored twice, 0 never sent; the first is of POST /a of a_case",
        ),
        ({"a": 1, "b": 1, "c": 1}, "0 of 2 events are missing, 0 stored twice, 1 never sent"),
    ],
)
def test_what_is_missing_doubled_or_invented_is_counted(tmp_path: Path, stored: dict[str, int], counts: str) -> None:
    with pytest.raises(Failure) as caught:
        kill.judge(answered(tmp_path, "a", "b"), Counter(stored))
    assert caught.value.wrong == f"after a kill -9, a restart and retries {counts}"


def test_nothing_is_wrong_where_each_event_is_stored_once(tmp_path: Path) -> None:
    kill.judge(answered(tmp_path, "a", "b"), Counter({"a": 1, "b": 1}))
