"""The oracle: it stands outside the gateway's process, sends, and keeps its own log of what was acknowledged."""

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs

from tests.faults.traffic import Sent, marks_in
from tests.faults.wire import Answer, Connection, Cut
from tests.kit.serving import Served

BUSY = 503
REMEMBERED = 2000
RETRIED = 0.25


@attrs.define
class Oracle:
    """What was sent and what was answered. `broken` are promises that were not kept, in words.

    `unkept` says that a 503 is a promise too, of nothing kept, so that anything may be sent again after one.
    `pause` is how many seconds each connection rests after an answer, `busy_pause` how many
    after a 503, and twice as many as where nobody listens. `settle` sends the last `sent_again` requests once more.
    """

    kinds: Sequence[Callable[[int], Sent]]
    chance: random.Random
    unkept: bool = True
    acknowledged: set[str] = attrs.field(factory=set)
    quarantined: set[str] = attrs.field(factory=set)
    unsure: set[str] = attrs.field(factory=set)
    broken: list[str] = attrs.field(factory=list)
    counts: Counter[str] = attrs.field(factory=Counter)
    ever: Callable[[Sent, Answer], None] | None = None
    pause: float = 0.0
    busy_pause: float = 0.02
    sent_again: int = 300
    _again: deque[Sent] = attrs.field(factory=deque)
    _first: dict[bytes, tuple[Sent, Answer]] = attrs.field(factory=dict)
    _recent: deque[bytes] = attrs.field(factory=lambda: deque(maxlen=REMEMBERED))
    _number: int = 0

    def next(self) -> Sent:
        """Return what to send now: what has no answer yet, what has one already, or something new."""
        if self._again:
            return self._again.popleft()
        if self._recent and self.chance.random() < RETRIED:
            return self._first[self.chance.choice(self._recent)][0]
        return self.new()

    def new(self) -> Sent:
        """Return a request that was never sent."""
        self._number += 1
        return self.kinds[self._number % len(self.kinds)](self._number)

    def answered(self, sent: Sent, answer: Answer) -> None:
        """Take down an answer, and compare it with the first one to the same request."""
        if answer.status == BUSY:
            self.counts["unavailable"] += 1
            if "retry-after" not in answer.headers:
                self.broken.append(f"{sent.kind}: 503 without Retry-After")
            self._once_more(sent, sent.safe or self.unkept)
            return
        if not 200 <= answer.status < 300:
            self.broken.append(f"{sent.kind}: {answer.status} {answer.body[:200]!r}")
            return
        self.acknowledged.update(sent.marks)
        self.quarantined.update(sent.quarantined)
        self.counts["acknowledged"] += 1
        if self.ever is not None:
            self.ever(sent, answer)
        if not sent.safe:
            return
        before = self._first.get(sent.raw)
        if before is None:
            self._first[sent.raw] = (sent, answer)
            self._recent.append(sent.raw)
            return
        self.counts["retried"] += 1
        if before[1].said != answer.said:
            self.broken.append(f"{sent.kind}: first {before[1].said!r}, then {answer.said!r}")
        if sent.keyed and answer.headers.get("idempotency-replayed") != "true":
            self.broken.append(f"{sent.kind}: a retry that does not say that it is one")

    def unanswered(self, sent: Sent) -> None:
        """Take down that a request's answer never came: a client would send it again, where it may."""
        self.counts["cut off"] += 1
        self._once_more(sent, sent.safe)

    def _once_more(self, sent: Sent, safe: bool) -> None:
        if safe:
            self._again.append(sent)
        else:
            self.unsure.update(sent.marks)

    @property
    def waiting(self) -> int:
        """Return how many requests are still without an answer."""
        return len(self._again)

    async def load(self, url: str, until: asyncio.Event, connections: int = 12, refusals: int = 1) -> None:
        """Send over several connections until told to stop, or until so many tries find nobody that listens."""
        await asyncio.gather(*[self._client(url, until, refusals) for _ in range(connections)])

    async def _client(self, url: str, until: asyncio.Event, refusals: int) -> None:
        connection: Connection | None = None
        refused = 0
        while not until.is_set() and refused < refusals:
            sent = self.next()
            try:
                connection = connection or await Connection.open(url)
                answer = await connection.exchange(sent.raw)
            except Cut:
                self.unanswered(sent)
                if connection is None:  # nobody listens
                    refused += 1
                    await asyncio.sleep(self.busy_pause / 2)
                    continue
                connection.cut()
                connection = None
                continue
            refused = 0
            self.answered(sent, answer)
            if pause := self.busy_pause if answer.status == BUSY else self.pause:
                await asyncio.sleep(pause)
            if answer.headers.get("connection") == "close":
                connection.cut()
                connection = None
        if connection is not None:
            connection.cut()

    async def settle(self, url: str) -> None:
        """Send what has no answer until it has one, and everything lately answered once more."""
        self._again.extend(self._first[raw][0] for raw in list(self._recent)[-self.sent_again :])
        tries = 0
        connection = await Connection.open(url)
        while self._again:
            tries += 1
            assert tries < 50_000, f"{self.waiting} requests are never answered"
            sent = self._again.popleft()
            self.answered(sent, await connection.exchange(sent.raw))
        connection.cut()

    def judge(self, served: Served) -> dict[str, int]:
        """Compare what is stored with what was acknowledged; `lost` and `doubled` must be 0."""
        kept = served.cli("quarantine", "list", "--format", "jsonl")
        return self.verdict(served.cli("events", "export", "--format", "jsonl"), kept, partial(file_of, served.data))

    def verdict(self, exported: str, kept: str, content: Callable[[str], bytes | None]) -> dict[str, int]:
        """Return the figures for an export of events, a list of quarantined items, and what has a file's content."""
        stored: Counter[str] = Counter()
        for line in exported.splitlines():
            stored.update(marks_in(line)[:1])
            if '"sha256"' in line:
                self._check_files(line, content)
        quarantined: Counter[str] = Counter()
        for line in kept.splitlines():
            quarantined.update(set(marks_in(line)))
        return {
            "acknowledged": len(self.acknowledged) + len(self.quarantined),
            "lost": len(self.acknowledged - stored.keys()) + len(self.quarantined - quarantined.keys()),
            "doubled": sum(count > 1 for count in stored.values())
            + sum(quarantined[mark] > 1 for mark in self.quarantined),
            "invented": len(stored.keys() - self.acknowledged - self.unsure),
            "unlike answers": len(self.broken),
        }

    def _check_files(self, line: str, content: Callable[[str], bytes | None]) -> None:
        for name in digests_in(json.loads(line)):
            found = content(name)
            if found is None or sha256(found).hexdigest() != name:
                self.broken.append(f"the file {name} is not what the event says")


def digests_in(value: Any) -> list[str]:
    """Return the names of the files in an event's JSON value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value["sha256"]] if isinstance(value, dict) and "sha256" in value else []
    return [*own, *(name for each in inner for name in digests_in(each))]


def file_of(data: Path, name: str) -> bytes | None:
    path = data / "blobs" / name[:2] / name[2:]
    return path.read_bytes() if path.is_file() else None


GOOD = {"lost": 0, "doubled": 0, "invented": 0, "unlike answers": 0}


def faults_in(figures: dict[str, int]) -> dict[str, int]:
    """Return the part of the figures that must be GOOD."""
    return {name: figures[name] for name in GOOD}
