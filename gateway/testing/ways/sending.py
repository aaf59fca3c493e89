"""Sends all cases of a dialect to a real server over a real store, and says which have not the expected outcome."""

import asyncio
import itertools
from pathlib import Path

import uvloop

from gateway.datadir import make
from gateway.keys.credential import InvalidCredential
from gateway.keys.store import KeyStore
from gateway.storage.engines import open_store
from gateway.storage.store import Store
from gateway.testing.check import fail
from gateway.testing.corpus.case import Case
from gateway.testing.corpus.message import NOW
from gateway.testing.engine.under_test import EngineUnderTest
from gateway.testing.subject import Subject
from gateway.testing.temporary import temporary
from gateway.testing.ways import wire
from gateway.testing.ways.forgetting import forgetting
from gateway.testing.ways.in_memory import CaseIds
from gateway.testing.ways.outcome import Outcome, differences, end_alike
from gateway.testing.ways.rounds import Round, rounds
from gateway.testing.ways.servers import Way
from gateway.testing.ways.stored import Stored


def wrong_cases(subject: Subject, way: Way, engine: EngineUnderTest) -> list[tuple[Case, list[str]]]:
    """Send every case; return those that are answered or stored differently, each with what is different.

    What ends without IO in the same way is left out: the check of the case has told it.
    """
    found: list[tuple[Case, list[str]]] = []
    left = rounds(subject)
    while left:
        with (
            engine.empty() as url,
            temporary() as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            now = left if forgetting(url) else left[:1]
            left = left[len(now) :]
            runner.run(_prepare(open_store(url), subject))
            for _, same in itertools.groupby(now, lambda each: each.settings):
                found += runner.run(_sent(subject, way, list(same), url, folder / "http"))
    return found


async def _sent(subject: Subject, way: Way, these: list[Round], url: str, socket: Path) -> list[tuple[Case, list[str]]]:
    """Send rounds with the same settings to one gateway over the store of a URL, which may have served others."""
    ids, forget = CaseIds(), forgetting(url)
    found: list[tuple[Case, list[str]]] = []
    async with way.answering(these[0].config(subject.dialect, url), socket, ids) as prefix:
        store = open_store(url)
        async with store.log() as log, store.records() as records:
            stored = await Stored.now(log, records)
            for each in these:
                if forget is not None:
                    await forget()
                for case in each.cases:
                    ids.restart()
                    answers = await asyncio.to_thread(wire.send, socket, prefix, case.requests)
                    without_io = subject.in_memory.send(case).outcome
                    events = await stored.events(len(without_io.events))
                    outcome = Outcome(answers, events, await stored.quarantined())
                    wrong = differences(case, outcome)
                    if wrong and not end_alike(case, outcome, without_io):
                        found.append((case, wrong))
    return found


async def _prepare(store: Store, subject: Subject) -> None:
    """Make a store ready for a server, and have it know the credentials of the corpus."""
    if store.directory is not None:
        make(store.directory.path)
    await store.prepare()
    async with store.keys(make=True) as keys, keys.exclusive():
        try:
            await _add_credentials(keys, subject)
        except InvalidCredential as error:
            fail(f"{subject.corpus.folder / '_credentials.json'}: {error}", "write a credential that can be added")


async def _add_credentials(keys: KeyStore, subject: Subject) -> None:
    kinds = {kind.name: kind for kind in subject.dialect.kinds}
    for each in subject.corpus.credentials:
        added = await keys.add(
            each.project,
            subject.dialect,
            kinds[each.kind],
            now=NOW,
            value=each.value,
            scopes=each.scopes,
            origins=each.origins or None,
        )
        if each.revoked:
            await keys.revoke(added.record.id, now=NOW)
