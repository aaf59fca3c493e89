"""What a suite of checks is about: an installed dialect with its corpus."""

from functools import cached_property
from pathlib import Path

import attrs

from gateway.dialect import Dialect
from gateway.ingest.registry import Installed, RegistryError, discover, install
from gateway.testing.check import Cost, fail
from gateway.testing.corpus.case import Corpus
from gateway.testing.engine.available import available
from gateway.testing.engine.under_test import EngineUnderTest
from gateway.testing.gate import Gate
from gateway.testing.limit import whole
from gateway.testing.samples.everywhere import Texts, texts_of
from gateway.testing.samples.sample import Sample, samples_of
from gateway.testing.samples.spots import Spot, spots_of
from gateway.testing.ways.in_memory import InMemory
from gateway.testing.ways.quick_sqlite import quick_sqlite

CORPUS = Path("tests/corpus")
"""Where the folders of corpora lie, from the directory that the checks are run in."""
ENGINES: tuple[EngineUnderTest, ...] = (quick_sqlite(),)
"""The engines that are there on every machine."""


@attrs.frozen(slots=False)
class Subject:
    """A dialect, ready to serve, with its corpus. `samples` are requests of the corpus that are accepted.

    `engines` are those that its cases are stored in. Without `is_discovered`, the gateway's own commands do not find
    the dialect: it was given as a value, and is not installed.
    """

    installed: Installed
    corpus: Corpus
    engines: tuple[EngineUnderTest, ...] = ENGINES
    is_discovered: bool = True

    @property
    def dialect(self) -> Dialect:
        """Return the dialect."""
        return self.installed.dialect

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """Return accepted requests: of each route, the smallest of each sort."""
        return samples_of(self.installed, self.corpus)

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """Return every place where accepted requests have a value, each once for a route."""
        return spots_of(self.installed, self.corpus)

    @cached_property
    def texts(self) -> tuple[Texts, ...]:
        """Return the samples that `spots` are in, each with the places where it has texts."""
        return tuple(texts_of(self.installed, self.spots))

    @cached_property
    def in_memory(self) -> InMemory:
        """Return gateways that the cases are sent to without IO."""
        return InMemory(self.dialect, self.corpus)

    def gate(self) -> Gate:
        """Return a new gateway that knows the corpus's credentials, and has stored nothing."""
        return Gate.of(self.dialect, self.corpus.credentials)

    @cached_property
    def _gate(self) -> Gate:
        return self.gate()

    def emptied_gate(self) -> Gate:
        """Return what `gate` does, but always the same one, emptied: a new one takes as long as a hundred requests."""
        self._gate.know(self.dialect, self.corpus.credentials)
        self._gate.forget()
        return self._gate


@whole(Cost.PURE)
def subject(
    name: str,
    folder: Path | None = None,
    dialect: Dialect | None = None,
    engines: tuple[EngineUnderTest, ...] | None = None,
) -> Subject:
    """Return an installed dialect by its name, or the given one, with the corpus of a folder.

    Without a folder it is `tests/corpus/<name>`, and without engines those that run on this machine. Raises Failure.
    """
    folder, is_discovered = folder or CORPUS / name, dialect is None
    if dialect is None:
        try:
            found = {each.name: each for each in discover()}
        except RegistryError as error:
            fail(f"a dialect cannot be loaded: {error}", "mend what the message names, and install it again")
        if name not in found:
            fail(
                f"no dialect {name!r} is installed; there is: {', '.join(found) or 'none'}",
                "name it in an entry point of the group gateway.dialects, and install it: pip install -e .",
            )
        dialect = found[name]
    try:
        [installed] = install((dialect,), {})
    except RegistryError as error:
        fail(str(error), "mend what the message names; a gateway does not start with it")
    if not folder.is_dir():
        fail(
            f"there is no corpus at {folder}",
            f"run this where tests/corpus/{name} lies, or say where: --corpus FOLDER (docs/corpus.md has the format)",
        )
    corpus = Corpus.read(name, folder)
    corpus.check(dialect)
    return Subject(installed, corpus, available() if engines is None else engines, is_discovered)
