"""The dialect of the examples of docs/corpus.md: what `gateway dialects new acme` writes, as a package of tests."""

import atexit
import importlib
import sys
import tempfile
from pathlib import Path

from gateway.dialect import Dialect
from gateway.testing.scaffold.distribution import files

PACKAGE = "acme_of_the_tests"
"""Other tests import an acme_dialect of theirs."""


def _written(folder: Path) -> Dialect:
    for path, text in files("acme"):
        file = folder / path.as_posix().replace("acme_dialect", PACKAGE)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("acme_dialect", PACKAGE), "utf-8")
    sys.path.insert(0, str(folder))
    try:
        found = importlib.import_module(PACKAGE).dialect
    finally:
        sys.path.remove(str(folder))
    assert isinstance(found, Dialect), "the value that the entry point names"
    return found


_folder = tempfile.TemporaryDirectory(prefix="gateway-")
atexit.register(_folder.cleanup)
dialect = _written(Path(_folder.name))
assert isinstance(dialect.routes, tuple), "there is one"
render = dialect.routes[0].render
