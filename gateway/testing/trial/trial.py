"""Sends requests into a gateway of one dialect, and fails on what no request may bring about."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Self

from gateway.dialect import Response
from gateway.testing.bugs import fail_as_logged
from gateway.testing.check import fail
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.gate import answered, responded
from gateway.testing.logged import logged
from gateway.testing.subject import Subject
from gateway.testing.trial.canonical import require_canonical
from gateway.testing.trial.wellformed import REMEDY, flaw_of

Tried = tuple[str, SentRequest]
"""What is sent, in words for a Failure, and the request."""


class Trial:
    """A gateway that forgets what it has stored before each request. Use it in a `with` statement."""

    def __init__(self, subject: Subject) -> None:
        self.gate = subject.gate()
        self._name = subject.dialect.name
        self._logging = logged(logging.ERROR)

    def __enter__(self) -> Self:
        """Begin."""
        self._log = self._logging.__enter__()
        self._loop = asyncio.new_event_loop()  # asyncio.run takes ten times as long for each request
        return self

    def __exit__(self, *problem: Any) -> None:
        """End."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self._logging.__exit__(*problem)

    def send(self, what: str, request: SentRequest) -> Answer:
        """Return the answer to a request. Raises Failure on a 5xx, an answer that is malformed, an event that is none.

        `what` names the request in the Failure.
        """
        storage = self.gate.storage
        storage.forget()
        self._log.records.clear()
        response = self._loop.run_until_complete(responded(self.gate.handler, request))
        self._judge(what, response)
        require_canonical(what, storage.quarantined, self._name)
        return answered(self.gate.handler, request, response)

    def _judge(self, what: str, response: Response) -> None:
        wrong = f"{what} was answered {response.status}"
        if response.status >= 500:
            fail_as_logged(wrong, self._log.errors)
        flaw = flaw_of(response)
        if flaw is not None:
            fail(f"{wrong} with {flaw}", REMEDY)


def try_all(subject: Subject, tried: Iterable[Tried]) -> None:
    """Send requests, each into an empty gateway. Raises Failure as Trial does."""
    with Trial(subject) as trial:
        for what, request in tried:
            trial.send(what, request)
