"""A gateway of one dialect without a socket, in which a check sends requests and looks at what is kept.

The clock stands still at `message.NOW`; ids that the gateway makes are 00000000-0000-7000-8000-000000000001 and so on.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping

import attrs

from gateway.config import Config, DialectSettings, LimitSettings, ProjectSettings
from gateway.dialect import Dialect, Reason, Refusal, Response
from gateway.ingest.handler import IngestHandler
from gateway.keys.credential import masked
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.contract import Storage
from gateway.testing.check import fail
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.corpus.message import NOW, Answer, SentRequest
from gateway.testing.memory import MemoryStorage
from gateway.testing.rejections import Rejections
from gateway.testing.trial.wellformed import REMEDY, unsendable
from gateway.workers.http_worker import build_handler

SALT = b"a salt for tests"
NO_PROJECTS: Mapping[str, ProjectSettings] = {}


def counted_ids() -> Callable[[int], str]:
    """Return a function from a time to the next id."""
    numbers = itertools.count(1)
    return lambda _now: f"00000000-0000-7000-8000-{next(numbers):012d}"


def keyring(dialect: Dialect, credentials: Iterable[CorpusCredential]) -> Keyring:
    """Return the keyring of a gateway that knows some credentials of a dialect."""
    kinds = {kind.name: kind for kind in dialect.kinds}
    grants: dict[bytes, Grant] = {}
    for number, each in enumerate(credentials):
        kind = kinds[each.kind]
        value = kind.normalize(each.value)
        grants[digest(SALT, dialect.name, each.kind, value)] = Grant(
            id=f"{dialect.name}-{number}",
            project=each.project,
            dialect=dialect.name,
            kind=each.kind,
            scopes=frozenset(dialect.scopes if each.scopes is None else each.scopes),
            origins=each.origins,
            revoked=each.revoked,
            shown=masked(kind, value),
        )
    return Keyring(SALT, grants)


def handler_of(
    dialect: Dialect,
    credentials: Iterable[CorpusCredential],
    storage: Storage,
    *,
    switches: Iterable[str] = (),
    limit: LimitSettings | None = None,
    projects: Mapping[str, ProjectSettings] = NO_PROJECTS,
    new_id: Callable[[int], str] | None = None,
    rejections: Rejections | None = None,
    clock: Callable[[], int] = lambda: NOW,
) -> IngestHandler:
    """Return a gateway of one dialect, but for the socket, over any storage; `clock` gives milliseconds."""
    config = Config(
        dialects={dialect.name: DialectSettings(switches=dict.fromkeys(switches, True))},
        limits={} if limit is None else {dialect.name: limit},
        projects=projects,
    )
    known = keyring(dialect, credentials)
    return build_handler(
        config,
        (dialect,),
        storage,
        known,
        clock=clock,
        new_id=new_id or counted_ids(),
        rejected_log=rejections,
    )


async def exchanged(handler: IngestHandler, request: SentRequest) -> Answer:
    """Send a request to a handler, and return its answer with the headers that the server adds."""
    return answered(handler, request, await responded(handler, request))


async def responded(handler: IngestHandler, request: SentRequest) -> Response:
    """Send a request to a handler, its body refused as the server does it, and return what it responds."""
    destination = handler.route(request.head)
    limit = destination.body_limit
    if limit is not None and len(request.body) > limit:
        return await destination.answer(Refusal(Reason.TOO_LARGE, detail={"limit": limit}))
    return await destination.answer(request.body)


def answered(handler: IngestHandler, request: SentRequest, response: Response) -> Answer:
    """Return a response as the answer that goes out, with the headers that the server adds.

    Raises Failure on headers that no server could send.
    """
    flaw = unsendable(response)
    if flaw is not None:
        fail(f"{request.method} {request.head.path} was answered {response.status} with {flaw}", REMEDY)
    common = dict(line.split(": ", 1) for line in handler.cors(request.head).splitlines())
    headers = {**response.headers, **common}
    if response.body is not None:
        headers["Content-Type"] = response.content_type
    return Answer(response.status, headers, response.body or b"")


@attrs.frozen
class Gate:
    """A gateway whose storage can be looked at: `storage.bodies`, `storage.quarantined`, `storage.entries`.

    `rejections.pending` has what it rejected.
    """

    handler: IngestHandler
    storage: MemoryStorage
    rejections: Rejections

    @classmethod
    def of(
        cls,
        dialect: Dialect,
        credentials: Iterable[CorpusCredential],
        *,
        switches: Iterable[str] = (),
        limit: LimitSettings | None = None,
        projects: Mapping[str, ProjectSettings] = NO_PROJECTS,
        clock: Callable[[], int] = lambda: NOW,
    ) -> "Gate":
        """Return a new gateway, in which nothing is stored yet."""
        storage, rejections = MemoryStorage(), Rejections()
        handler = handler_of(
            dialect,
            credentials,
            storage,
            switches=switches,
            limit=limit,
            projects=projects,
            rejections=rejections,
            clock=clock,
        )
        return cls(handler, storage, rejections)

    def forget(self) -> None:
        """Become as empty as at first; only the ids that it makes go on."""
        self.storage.forget()
        self.rejections.pending.clear()

    def know(self, dialect: Dialect, credentials: Iterable[CorpusCredential]) -> None:
        """Know other credentials from now on. It is much faster than a new gateway."""
        self.handler.renew(keyring(dialect, credentials))

    def send(self, *requests: SentRequest) -> list[Answer]:
        """Send requests one after the other, and return their answers."""

        async def sent() -> list[Answer]:
            return [await exchanged(self.handler, request) for request in requests]

        return asyncio.run(sent())
