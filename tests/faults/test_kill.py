"""Kill -9 under load; `python -m tests.faults --cycles 500` is the long form."""

from pathlib import Path

import pytest

from tests.faults.figures import Figure
from tests.faults.kills import AT_ITS_START, run
from tests.faults.oracle import GOOD, faults_in
from tests.faults.victims import ALL, FRONT, MAIN, WRITER

CYCLES = 5


@pytest.mark.parametrize("workers", [1, 2])
def test_no_kill_loses_or_doubles_what_was_acknowledged(tmp_path: Path, figure: Figure, workers: int) -> None:
    result = run(tmp_path / "data", CYCLES, workers)
    figure(str(result))
    assert set(result.killed) - {AT_ITS_START} == ({MAIN} if workers == 1 else {MAIN, ALL, WRITER, FRONT})
    assert result.broken == []
    assert faults_in(result.figures) == GOOD
    assert result.balanced
    assert result.figures["acknowledged"] > 100
