"""Several gateways on one database, and an oracle that loads them while something goes wrong. No fault here."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterable, Mapping

import attrs

from tests.faults.figures import Figure
from tests.faults.oracle import BUSY, GOOD, Oracle, faults_in
from tests.faults.postgres.gateways import Gateway
from tests.faults.traffic import keys_of, kinds
from tests.faults.wire import Answer, Cut, ask
from tests.kit.postgres.cluster import Cluster

PATIENCE = 60.0  # seconds
POLL = 0.05  # seconds
CONNECTIONS = 3
"""Of the load, to each gateway."""
REFUSED = 600
"""Tries, a twentieth of a second apart, after which a gateway that is gone is given up."""
PAUSE, BUSY_PAUSE = 0.02, 0.1
"""Seconds that each connection of the load rests: some strikes take long."""
SENT_AGAIN = 60
MAX_LOAD = 0.2  # seconds
SEED = 20240229


@attrs.frozen
class Outcome:
    """What came of some strikes: in words, then what must be empty, GOOD and True."""

    said: str
    broken: list[str]
    faults: dict[str, int]
    balances: bool

    @property
    def is_good(self) -> bool:
        """Return whether every promise was kept."""
        return (self.broken, self.faults, self.balances) == ([], GOOD, True)


@attrs.define
class Site:
    """Gateways on one database of a cluster. The cluster is the one that is asked what is stored."""

    cluster: Cluster
    database: str
    gateways: list[Gateway]
    oracle: Oracle
    between: Callable[[], object] = lambda: None
    """What is done before each load."""
    recovered: list[float] = attrs.field(factory=list)
    """How many seconds after each strike all gateways said yes to a new request."""

    async def endure(self, strikes: Iterable[Callable[[], object]]) -> None:
        """Load all gateways; strike at random moments, and wait each time until all say yes again. Then settle."""
        for strike in strikes:
            await asyncio.to_thread(self.between)
            stop = asyncio.Event()
            loads = [asyncio.create_task(self._load(each.url, stop)) for each in self.gateways]
            await asyncio.wait(loads, timeout=self.oracle.chance.uniform(0.0, MAX_LOAD))
            assert not any(load.done() for load in loads), loads
            await asyncio.to_thread(strike)
            started = time.monotonic()
            for each in self.gateways:
                await self._until_yes(each)
            self.recovered.append(time.monotonic() - started)
            stop.set()
            await asyncio.gather(*loads)
        await self.oracle.settle(self.oracle.chance.choice(self.gateways).url)

    async def hold(self, strikes: Iterable[Callable[[], object]], figure: Figure) -> None:
        """Endure the strikes, note the figures, and fail if anything acknowledged was lost or doubled by them."""
        outcome = await self.outcome(strikes)
        figure(outcome.said)
        assert outcome.broken == []
        assert outcome.faults == GOOD
        assert outcome.balances

    async def outcome(self, strikes: Iterable[Callable[[], object]]) -> "Outcome":
        """Endure the strikes, and return what came of it."""
        self.recovered.clear()
        await self.endure(strikes)
        figures = await asyncio.to_thread(self.judge)
        return Outcome(self._said(figures), list(self.oracle.broken), faults_in(figures), self.balances())

    async def _load(self, url: str, stop: asyncio.Event) -> None:
        await self.oracle.load(url, stop, CONNECTIONS, refusals=REFUSED)

    async def _until_yes(self, gateway: Gateway) -> None:
        sent = self.oracle.new()
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = Answer(BUSY, {}, b"")
            with contextlib.suppress(Cut):
                answer = await ask(gateway.url, sent.raw)
            if answer.status != BUSY:
                self.oracle.answered(sent, answer)
                return
            assert time.monotonic() < deadline, f"a gateway does not recover: {gateway.log}"
            await asyncio.sleep(POLL)

    def wait_for_yes(self, gateway: Gateway) -> None:
        """Return once a gateway says yes to a new request. For a strike, which runs in a thread of its own."""
        asyncio.run(self._until_yes(gateway))

    def judge(self) -> dict[str, int]:
        """Return the oracle's figures; see Oracle."""
        asked = self.gateways[0]
        exported = asked.cli("events", "export", "--format", "jsonl")
        kept = asked.cli("quarantine", "list", "--format", "jsonl")
        rows = [row.split("|") for row in self._sql("SELECT name, encode(content, 'hex') FROM gateway.blobs")]
        return self.oracle.verdict(exported, kept, {name: bytes.fromhex(text) for name, text in rows}.get)

    def balances(self) -> bool:
        """Return whether the counters are what the tables hold, and add up."""
        count = dict(row.split("|") for row in self._sql("SELECT verdict, sum(count) FROM gateway.counters GROUP BY 1"))
        (stored,) = self._sql("SELECT count(*) FROM gateway.events")
        (kept,) = self._sql("SELECT coalesce(sum(remaining), 0) FROM gateway.quarantined_requests")
        parts = sum(int(count.get(name, 0)) for name in ("stored", "duplicate", "quarantined", "filtered"))
        return (int(count["received"]), count["stored"], count.get("quarantined", "0")) == (parts, stored, kept)

    def _sql(self, statement: str) -> list[str]:
        return self.cluster.sql(statement, self.database)

    def _said(self, figures: Mapping[str, int]) -> str:
        """Return what came of it so far, in one line; `figures` are those of `judge`."""
        counts = {name: self.oracle.counts[name] for name in ("retried", "cut off", "unavailable")}
        said = ", ".join(f"{count} {name}" for name, count in {**figures, **counts}.items())
        slowest = max(self.recovered, default=0.0)
        return f"{len(self.recovered)} times, well again after at most {slowest:.1f} s: {said}"


def site(cluster: Cluster, database: str, running: list[Gateway], seed: int = SEED) -> Site:
    """Return gateways that run on a database, and that made its credentials, with an oracle beside them."""
    keys = keys_of("".join(each.greeting for each in running))
    # Of a commit that broke off nobody may know the fate: a 503 is then no promise that it was not kept.
    oracle = Oracle(kinds(keys), random.Random(seed), unkept=False)
    oracle.pause, oracle.busy_pause, oracle.sent_again = PAUSE, BUSY_PAUSE, SENT_AGAIN
    return Site(cluster, database, running, oracle)
