"""The long form: `python -m tests.faults --cycles 500 [--workers 1 2] [--seed N]`.

Kills a gateway so many times for each number of workers, and prints the figures; exit code 1 where one is not 0.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.kills import run
from tests.faults.oracle import GOOD, faults_in


def main() -> int:
    """Run the cycles and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=20240229)
    options = parser.parse_args()
    good = True
    for workers in options.workers:
        with tempfile.TemporaryDirectory() as folder:
            result = run(Path(folder) / "data", options.cycles, workers, options.seed)
        print("\n".join([str(result), *result.broken[:20]]), flush=True)
        good = good and result.balanced and faults_in(result.figures) == GOOD
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
