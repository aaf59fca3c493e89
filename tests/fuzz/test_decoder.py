"""A few seconds of atheris over the decoder, from seeds out of the corpus; decoder.py says how to go on for longer."""

import re
import subprocess
import sys
from pathlib import Path

from tests.faults.figures import Figure
from tests.kit.cases import body_of, load

SECONDS = 4
SEEDS = [
    b"[" * 400,
    b'"\\ud800"',
    b"1e400",
    b"-0.0",
    b"123456789012345678901234567890",
    b'{"a":1,"a":2}',
    b"\xef\xbb\xbf[]",
]
DONE = re.compile(r"Done (\d+) (?:runs )?in (\d+) second")


def test_no_bytes_make_the_decoder_raise_what_it_does_not_promise(tmp_path: Path, figure: Figure) -> None:
    bodies = {body_of(step["request"]) for case in load() for step in case.document["steps"]}
    for number, seed in enumerate([*SEEDS, *sorted(body for body in bodies if 0 < len(body) < 1500)]):
        (tmp_path / f"{number}").write_bytes(seed)
    command = [sys.executable, "-m", "tests.fuzz.decoder", f"-max_total_time={SECONDS}", "-seed=1", str(tmp_path)]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = DONE.search(done.stderr)
    figure(f"{found[1]} runs in {found[2]} s" if found else done.stderr[-200:])
