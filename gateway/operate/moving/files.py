"""The files that events name. Pure."""

import re
from collections.abc import Iterator, Sequence

import orjson

_DIGEST = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')


def named_files(lines: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    """Yield `(project, name)` of each file that the events may have come with; it may be none that is kept."""
    for line in lines:
        if b"sha256" in line and (named := _DIGEST.findall(line)):
            project = str(orjson.loads(line).get("project", ""))
            for name in named:
                yield project, name.decode()
