"""The cases of a dialect, as they lie in a folder: one file for each, named with a sentence.

    tests/corpus/acme/a_purchase_is_stored.json
    tests/corpus/acme/_credentials.json             what the gateway knows, across projects

The format of a case is described in docs/corpus.md.
"""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import attrs

from gateway.config import LimitSettings
from gateway.dialect import Dialect
from gateway.testing.bugs import all_told
from gateway.testing.check import require
from gateway.testing.corpus.defaults import filled
from gateway.testing.corpus.message import SentRequest
from gateway.testing.corpus.reading import FORMAT, case_files, read_case, read_credentials


@attrs.frozen
class CorpusCredential:
    """One entry of `_credentials.json`. `scopes` are all of the dialect's where it is None."""

    kind: str
    value: str
    project: str = "default"
    scopes: tuple[str, ...] | None = None
    origins: tuple[str, ...] = ()
    revoked: bool = False

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> "CorpusCredential":
        """Return an entry as the file has it."""
        scopes = tuple(written["scopes"]) if "scopes" in written else None
        return cls(**{**written, "scopes": scopes, "origins": tuple(written.get("origins", ()))})


@attrs.frozen
class Case:
    """One case file. `document` is the case with all that its file may leave out: whole events, every header."""

    dialect: str
    name: str
    file: Path
    document: Mapping[str, Any]

    @classmethod
    def read(cls, dialect: str, file: Path) -> "Case":
        """Return the case of a file. Raises Failure on what is no case."""
        return cls(dialect, file.stem, file, filled(read_case(file), dialect))

    @property
    def switches(self) -> frozenset[str]:
        """Return the switches that are on."""
        return frozenset(self.document.get("switches", ()))

    @property
    def limit(self) -> LimitSettings | None:
        """Return the configured limit of requests; None if there is none."""
        return LimitSettings(**self.document["limit"]) if "limit" in self.document else None

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """Return its steps, each a request and, but in a case that is being written, an answer."""
        return list(self.document["steps"])

    @property
    def requests(self) -> list[SentRequest]:
        """Return the requests of its steps."""
        return [SentRequest.of(step["request"]) for step in self.steps]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the events that it expects, whole."""
        return list(self.document["events"])

    @property
    def quarantined(self) -> list[dict[str, Any]]:
        """Return the quarantined items that it expects, each with its `faults` and `payload`."""
        return list(self.document.get("quarantined", ()))

    def __str__(self) -> str:
        return self.name


@attrs.frozen
class Corpus:
    """The cases of one dialect, by name, and the credentials that they are sent with."""

    dialect: str
    folder: Path
    cases: tuple[Case, ...]
    credentials: tuple[CorpusCredential, ...]

    @classmethod
    def read(cls, dialect: str, folder: Path) -> "Corpus":
        """Return the corpus of a folder. Raises Failure on what is no case."""
        credentials = tuple([CorpusCredential.of(each) for each in read_credentials(folder / "_credentials.json")])
        return cls(dialect, folder, tuple([Case.read(dialect, file) for file in case_files(folder)]), credentials)

    def check(self, dialect: Dialect) -> None:
        """Raise Failure on a case or a credential that names what the dialect does not have."""
        switches = {switch.name for switch in dialect.switches}
        for case in self.cases:
            _check_names(f"{case.file}: switch", case.switches, switches)
        kinds = {kind.name for kind in dialect.kinds}
        file = self.folder / "_credentials.json"
        _check_names(f"{file}: credential kind", {each.kind for each in self.credentials}, kinds)
        scopes = {scope for each in self.credentials for scope in each.scopes or ()}
        _check_names(f"{file}: scope", scopes, set(dialect.scopes))
        normalize = {kind.name: kind.normalize for kind in dialect.kinds}
        for number, each in enumerate(self.credentials):
            with all_told(f"{file}: /{number}: `normalize` of the kind {each.kind} fails on it"):
                normalize[each.kind](each.value)


def _check_names(what: str, named: Set[str], known: Set[str]) -> None:
    unknown = sorted(named - known)
    require(
        not unknown,
        f"{what} {', '.join(map(repr, unknown))} is none of the dialect's: {', '.join(sorted(known)) or 'it has none'}",
        f"name one that it has, or add it to the dialect; {FORMAT}",
    )
