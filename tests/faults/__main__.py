"""The long form: `python -m tests.faults --cycles 500 [--workers 1 2] [--seed N]`.

Kills a gateway so many times for each number of workers, and prints the figures; exit code 1 where one is not 0.

    python -m tests.faults --storage postgresql --cycles 200 [--faults gateways instants ...]

has so many of each fault of several gateways on PostgreSQL, which it starts by itself.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.kills import run
from tests.faults.oracle import GOOD, faults_in
from tests.faults.postgres import long


def main() -> int:
    """Run the cycles and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--storage", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="on SQLite")
    parser.add_argument("--faults", choices=long.NAMES, nargs="+", default=long.NAMES, help="on PostgreSQL")
    parser.add_argument("--seed", type=int, default=20240229)
    options = parser.parse_args()
    if options.storage == "postgresql":
        kept = [long.run(name, options.cycles, options.seed) for name in options.faults]
        return 0 if all(kept) else 1
    good = True
    for workers in options.workers:
        with tempfile.TemporaryDirectory() as folder:
            result = run(Path(folder) / "data", options.cycles, workers, options.seed)
        print("\n".join([str(result), *result.broken[:20]]), flush=True)
        good = good and result.balanced and faults_in(result.figures) == GOOD
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
