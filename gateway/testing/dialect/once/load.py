"""Requests from several clients at once, each of which knows what has to be stored of it."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import attrs

from gateway.clock import now
from gateway.dialect import Refusal
from gateway.ingest.ids import numbered
from gateway.testing.check import require
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.dialect.once.process import Client, Cut, Gateway
from gateway.testing.gate import Gate
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.shown import known_as
from gateway.testing.samples.variants import fresh, with_idempotency_key
from gateway.testing.subject import Subject
from gateway.testing.wording import answer_text

CONNECTIONS = 6
ENOUGH = 60
"""Answers after which the gateway is killed, while others are on their way."""
BUSY, REST = 503, 0.02


@attrs.frozen
class Sent:
    """A request, and the ids of the events that it has to become."""

    title: str
    request: SentRequest
    ids: tuple[str, ...]


@attrs.define
class Load:
    """Requests that are sent from several connections. `waiting` have no answer yet, `answered` have one."""

    subject: Subject
    samples: Sequence[Sample]
    numbers: Iterator[int] = attrs.field(factory=lambda: count(1))
    waiting: list[Sent] = attrs.field(factory=list)
    answered: list[tuple[Sent, Answer]] = attrs.field(factory=list)
    _enough: asyncio.Event = attrs.field(factory=asyncio.Event)

    def next(self) -> Sent:
        """Return a request that was never sent."""
        number = next(self.numbers)
        return sent(self.subject, self.samples[number % len(self.samples)], number)

    async def until_killed(self, gateway: Gateway) -> None:
        """Send from all connections, kill the gateway amid the answers, and wait until all connections have ended."""
        clients = asyncio.gather(*[self._client(Client(gateway.url)) for _ in range(CONNECTIONS)])
        enough = asyncio.create_task(self._enough.wait())
        awaited: set[asyncio.Future[Any]] = {clients, enough}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        enough.cancel()
        gateway.kill()
        await clients

    async def _client(self, client: Client) -> None:
        while True:
            each = self.next()
            try:
                self._take(each, await client.exchange(each.request))
            except Cut:
                self.waiting.append(each)
                return

    async def settle(self, gateway: Gateway) -> None:
        """Send again what has no answer, and then what has one: as clients do that never saw it. Raises Cut."""
        again = [each for each, _ in self.answered]
        client = Client(gateway.url)
        while self.waiting:
            each = self.waiting.pop()
            answer = await client.exchange(each.request)
            if answer.status == BUSY:
                await asyncio.sleep(REST)
            self._take(each, answer)
        for each in again:
            self._check(each, await client.exchange(each.request))
        client.close()

    def _take(self, each: Sent, answer: Answer) -> None:
        if answer.status == BUSY:
            self.waiting.append(each)
            return
        self._check(each, answer)
        self.answered.append((each, answer))
        if len(self.answered) >= ENOUGH:
            self._enough.set()

    def _check(self, each: Sent, answer: Answer) -> None:
        require(
            answer.status < 400,
            f"{each.title}, sent to `gateway serve` with ids of its own, was answered {answer_text(answer)}, and it is "
            "accepted without a process",
            "look into the log: `gateway serve` with this dialect and corpus must answer as the corpus says",
        )


def usable(subject: Subject) -> list[Sample]:
    """Return the samples whose ids can be made new, that show a credential of the corpus, and that are accepted today.

    Whoever takes no old events refuses those of the corpus, where the clock stands still.
    """
    gate = Gate.of(subject.dialect, subject.corpus.credentials, clock=now)
    found = []
    for sample in subject.samples:
        first, second = sent(subject, sample, 1), sent(subject, sample, 2)
        gate.forget()
        gate.send(first.request, second.request)
        is_new = len(gate.storage.bodies) == 2 * len(sample.submission.items)
        if is_new and any(known_as(subject, each) for each in sample.submission.credentials):
            found.append(sample)
    return found


def sent(subject: Subject, sample: Sample, number: int) -> Sent:
    """Return a sample as a request of its own: by the client's ids, and mostly by an Idempotency-Key too."""
    request, key = fresh(sample, number).with_header("Idempotency-Key", None), f"kill-{number}"
    if not sample.has_ids or number % 3:
        request = with_idempotency_key(request, key)
    known = [found for each in sample.submission.credentials if (found := known_as(subject, each)) is not None]
    scope = (known[0].project if known else "", subject.dialect.name, sample.route.name)
    read = sample.parse(request)
    items = () if isinstance(read, Refusal) else read.items
    ids = tuple([item.message_id or numbered(scope, key, index) for index, item in enumerate(items)])
    return Sent(str(sample), request, ids)
