"""Counts a data directory's events by project and name: from the export, and by asking the file itself.

python examples/read_events.py data
"""

import json
import sqlite3
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

Counts = Counter[tuple[str, str]]


def events(data: Path) -> Iterator[dict[str, Any]]:
    """Yield every event, oldest first, one at a time; a gateway may run on the directory or not."""
    command = [sys.executable, "-m", "gateway", "events", "export", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as export:
        assert export.stdout is not None
        for line in export.stdout:
            yield json.loads(line)
    if export.returncode:
        raise SystemExit(export.returncode)  # it has said why


def count_export(data: Path) -> Counts:
    """Count in Python; an event without a name (an identify, say) counts under its type."""
    return Counter((event["project"], event["name"] or event["type"]) for event in events(data))


def count_in_file(data: Path) -> Counts:
    """Count in SQL; read-only, so that nothing can disturb the gateway that is writing."""
    project, name, kind = (f"json_extract(body, '$.{field}')" for field in ("project", "name", "type"))
    query = f"SELECT {project}, coalesce({name}, {kind}), count(*) FROM events GROUP BY 1, 2"
    with closing(sqlite3.connect(f"{(data / 'events.db').absolute().as_uri()}?mode=ro", uri=True)) as file:
        # `events` calls it if `storage.compress` was ever on; the command line of SQLite has it.
        file.create_function("sqlar_uncompress", 2, lambda lines, _size: zlib.decompress(lines))
        return Counter({(project, name): count for project, name, count in file.execute(query)})


def main() -> None:
    """Print both counts of each name; they differ only where events came in between."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
    exported, in_file = count_export(data), count_in_file(data)
    print(f"{'export':>8} {'events.db':>9}  project, name")
    for key in sorted(exported | in_file):
        print(f"{exported[key]:8} {in_file[key]:9}  {', '.join(key)}")


if __name__ == "__main__":
    main()
