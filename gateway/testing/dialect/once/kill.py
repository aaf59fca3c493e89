"""Checks that a gateway that is killed has kept each request that it had answered, and keeps each retried one once."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import orjson

from gateway.clock import now
from gateway.datadir import make
from gateway.ingest.registry import discover
from gateway.storage.engines import open_store
from gateway.storage.read import EventFilter, export
from gateway.testing.check import Check, Cost, require
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.dialect.once.load import Load, usable
from gateway.testing.dialect.once.process import serving
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.shown import known_as
from gateway.testing.subject import Subject
from gateway.testing.temporary import temporary

SAME = "make Item.message_id of the request alone: what `parse` finds in one process it must find in the next one, too"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check; there is none for a dialect that is not installed, which no process would find."""
    if any(each.name == subject.dialect.name for each in discover()):
        yield Check("kill/what was answered is stored once", partial(_run, subject), Cost.PROCESS)


def _run(subject: Subject) -> None:
    samples = usable(subject)
    if not samples:
        return
    with temporary() as folder:
        data, config = make(folder / "data").path, folder / "gateway.toml"
        others = [each.name for each in discover() if each.name != subject.dialect.name]
        config.write_text("".join(f"[dialects.{name}]\nenabled = false\n" for name in others), "utf-8")
        asyncio.run(_add_credentials(subject, samples, data))
        load = Load(subject, samples)
        with serving(data, config) as gateway:
            asyncio.run(load.until_killed(gateway))
        with serving(data, config) as gateway:
            asyncio.run(load.settle(gateway))
            gateway.stop()
        stored = asyncio.run(_stored(subject, data))
    judge(load, stored)


def judge(load: Load, stored: Counter[str]) -> None:
    """Fail unless each event of each answered request is stored once, and no other."""
    of = {message_id: each.title for each, _ in load.answered for message_id in each.ids}
    lost = [message_id for message_id in of if message_id not in stored]
    doubled = [message_id for message_id, times in stored.items() if message_id in of and times > 1]
    invented = [message_id for message_id in stored if message_id not in of]
    counts = f"{len(lost)} of {len(of)} events are missing, {len(doubled)} stored twice, {len(invented)} never sent"
    which = next((of[each] for each in (*lost, *doubled)), "")
    require(
        not (lost or doubled or invented),
        f"after a kill -9, a restart and retries {counts}{f'; the first is of {which}' if which else ''}",
        SAME,
    )


async def _add_credentials(subject: Subject, samples: Sequence[Sample], data: Path) -> None:
    shown = [known_as(subject, each) for sample in samples for each in sample.submission.credentials]
    named = {site for sample in samples for item in sample.submission.items if (site := item.site) is not None}
    wanted: list[CorpusCredential] = []
    for each in subject.corpus.credentials:
        kind = subject.installed.kinds[each.kind]
        if each in shown or (kind.is_site and kind.normalize(each.value) in named):
            wanted.append(each)
    store = open_store(f"sqlite:{data}")
    async with store.keys(make=True) as keys:
        for each in wanted:
            await keys.add(
                each.project,
                subject.dialect,
                subject.installed.kinds[each.kind],
                now=now(),
                value=each.value,
                scopes=each.scopes,
                origins=each.origins or None,
            )


async def _stored(subject: Subject, data: Path) -> Counter[str]:
    """Return how often each message id is stored."""
    found: Counter[str] = Counter()
    async with open_store(f"sqlite:{data}").log() as reader:
        async for page in export(reader, where=EventFilter(dialect=subject.dialect.name)):
            found.update(orjson.loads(line)["message_id"] for line in page.lines)
    return found
