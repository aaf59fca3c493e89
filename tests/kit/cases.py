"""The corpora of all dialects for tests that are not about one of them; the kit reads them and makes the gateways."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.config import ProjectSettings
from gateway.dialect import Dialect
from gateway.dialect.message import Response
from gateway.ingest.handler import IngestHandler
from gateway.ingest.registry import discover
from gateway.keys.keyring import Grant, Keyring
from gateway.storage.contract import Storage
from gateway.testing import gate
from gateway.testing.corpus.case import Case, Corpus
from gateway.testing.corpus.message import SentRequest, body_of

__all__ = ["Case", "body_of", "build", "keyring", "load", "send"]
CORPORA = Path(__file__).parents[1] / "corpus"
NO_PROJECTS: Mapping[str, ProjectSettings] = {}


def corpus(dialect: str) -> Corpus:
    """Return the corpus of a dialect."""
    return Corpus.read(dialect, CORPORA / dialect)


def load() -> list[Case]:
    """Return the cases of all dialects."""
    folders = sorted(each for each in CORPORA.iterdir() if each.is_dir())
    return [case for folder in folders for case in corpus(folder.name).cases]


def keyring(dialects: Iterable[Dialect]) -> Keyring:
    """Return the credentials of the corpora of dialects together, as a server would hold them."""
    grants: dict[bytes, Grant] = {}
    for dialect in dialects:
        grants.update(gate.keyring(dialect, corpus(dialect.name).credentials).grants)
    return Keyring(gate.SALT, grants)


def build(
    case: Case,
    storage: Storage,
    new_id: Callable[[int], str] | None = None,
    projects: Mapping[str, ProjectSettings] = NO_PROJECTS,
) -> IngestHandler:
    """Return a gateway of the case's dialect alone, but for the socket, set up as the case asks."""
    [dialect] = [each for each in discover() if each.name == case.dialect]
    return gate.handler_of(
        dialect,
        corpus(case.dialect).credentials,
        storage,
        switches=case.switches,
        limit=case.limit,
        projects=projects,
        new_id=new_id,
    )


async def send(handler: IngestHandler, request: Mapping[str, Any]) -> tuple[Response, dict[str, str]]:
    """Send a request, as a case writes it; return the answer, and its headers with those that the server adds."""
    head = SentRequest.of(request).head
    response = await handler.route(head).answer(body_of(request))
    common = dict(line.split(": ", 1) for line in handler.cors(head).splitlines())
    return response, {**response.headers, **common, "Content-Type": response.content_type}
