"""What appending promises: order, once, counters that balance."""

import asyncio

import attrs

from gateway.dialect.outcome import Outcome, StorageUnavailable, Verdict
from gateway.storage.contract import Appended, AppendStatus, EventRow, QuarantinedItem
from gateway.testing.engine.expect import equal, holds, raises
from gateway.testing.engine.given.appending import Log, opened
from gateway.testing.engine.given.entries import body, claim, entry, key, row, stored_items
from gateway.testing.engine.promise import Family

FAMILY = Family("append", opened)
HELD = QuarantinedItem("m1", b'[{"code":"required"}]', b'{"name":""}')


@FAMILY.promise(
    "write the rows of an entry in the order of Entry.rows, and entries in the order in which they are committed"
)
async def rows_are_kept_in_their_order(log: Log) -> None:
    answer = await log.storage.append(entry(row(1), row(2), row(3)))

    equal(answer, Appended(AppendStatus.NEW))
    equal(await log.bodies(), [body(1), body(2), body(3)])


@FAMILY.promise(
    "remember the key of each row (EventRow.key) in its commit, and give the index of an item whose key is "
    "known in Appended.duplicates, without storing it"
)
async def a_key_that_comes_again_in_a_later_entry_is_seen(log: Log) -> None:
    for number in range(8):
        await log.storage.append(entry(row(number)))

    answers = [await log.storage.append(entry(row(number), row(number + 8))) for number in range(8)]

    equal(answers, [Appended(AppendStatus.NEW, duplicates=(0,))] * 8)
    equal(sorted(await log.bodies()), sorted(body(number) for number in range(16)))


@FAMILY.promise("compare the keys of an entry with each other too: gateway.storage.decide.decide does")
async def of_two_rows_with_one_key_in_one_entry_the_first_is_kept(log: Log) -> None:
    answer = await log.storage.append(entry(row(1), EventRow(body("other"), row(1).key), row(2)))

    equal(answer, Appended(AppendStatus.NEW, duplicates=(1,)))
    equal(await log.bodies(), [body(1), body(2)])


@FAMILY.promise("decide what is a duplicate inside the commit, never before it")
async def of_many_entries_at_once_with_one_key_exactly_one_is_new(log: Log) -> None:
    answers = await asyncio.gather(*[log.storage.append(entry(row(1))) for _ in range(20)])

    equal(sorted(answer.duplicates for answer in answers), [(), *[(0,)] * 19])
    equal(await log.bodies(), [body(1)])


@FAMILY.promise("a row without a key is always new: never compare bodies")
async def equal_bodies_without_a_key_are_two_events(log: Log) -> None:
    answer = await log.storage.append(entry(EventRow(body(1)), EventRow(body(1))))

    equal(answer, Appended(AppendStatus.NEW))
    equal(await log.bodies(), [body(1), body(1)])


@FAMILY.promise("keep the line of an event as UTF-8, with an escaped NUL in it")
async def text_beyond_ascii_is_kept_to_the_byte(log: Log) -> None:
    line = '{"project":"p","name":"žluťoučký 🐎 \\u0000 \u2028"}'.encode()

    await log.storage.append(entry(EventRow(line)))

    equal(await log.bodies(), [line])


@FAMILY.promise("split the rows of an entry over as many statements as it takes, in one transaction")
async def an_entry_of_more_rows_than_a_statement_takes_is_kept_whole(log: Log) -> None:
    rows = [row(number) for number in range(601)]

    answer = await log.storage.append(entry(*rows))

    equal(answer, Appended(AppendStatus.NEW))
    equal(await log.bodies(), [each.body for each in rows])


@FAMILY.promise("answer an entry that has nothing in it with AppendStatus.NEW")
async def an_entry_without_rows_is_fresh(log: Log) -> None:
    equal(await log.storage.append(entry()), Appended(AppendStatus.NEW))
    equal(await log.bodies(), [])


@FAMILY.promise(
    "Appended.duplicates are places among all items of the request, those that are quarantined "
    "(QuarantinedItem.index) and rejected included"
)
async def a_quarantined_item_with_a_known_id_is_a_duplicate_at_its_place_among_the_items(log: Log) -> None:
    held = tuple(QuarantinedItem(name, b"[]", b"{}", key(name), index) for name, index in (("a", 0), ("b", 2)))
    verdicts = (Verdict.QUARANTINED, Verdict.REJECTED, Verdict.FILTERED, Verdict.STORED)
    outcomes = tuple(Outcome(verdict, str(index)) for index, verdict in enumerate(verdicts))
    mixed = attrs.evolve(entry(row("c")), quarantined=held, outcomes=outcomes)

    await log.storage.append(entry(row("b")))
    answers = [await log.storage.append(mixed) for _ in range(2)]

    equal([answer.duplicates for answer in answers], [(2,), (0, 2, 3)])


@FAMILY.promise(
    "raise ValueError for an entry with items of several verdicts whose `outcomes` do not name each, and store"
    " nothing of it"
)
async def an_entry_whose_outcomes_are_not_those_of_its_items_is_at_fault(log: Log) -> None:
    with raises(ValueError, RuntimeError, match="outcomes"):
        await log.storage.append(attrs.evolve(entry(row(1)), outcomes=stored_items("m-1", "m-2")))
    with raises(ValueError, RuntimeError, match="outcomes"):
        await log.storage.append(attrs.evolve(entry(row(1), quarantined=(HELD,)), outcomes=()))
    equal(await log.bodies(), [])


@FAMILY.promise(
    "count in the same commit: received is the sum of what the items became, and a replayed request is counted"
    " as duplicates"
)
async def the_counters_balance(log: Log) -> None:
    await log.storage.append(entry(row(1), row(2), quarantined=(HELD,)))
    await log.storage.append(entry(row(2), row(3), idempotency=claim("k")))
    await log.storage.append(entry(row(2), row(3), idempotency=claim("k")))
    await log.storage.append(entry(row(4), project="q"))

    equal(await log.counts(), {"received": 8, "stored": 4, "duplicate": 3, "quarantined": 1})


@FAMILY.promise(
    "answer an entry with Entry.trial as if it were appended, from what was committed before, and keep and count"
    " nothing of it: its keys are looked up and not remembered"
)
async def a_trial_is_answered_as_its_entry_would_be_and_leaves_nothing(log: Log) -> None:
    held = tuple(QuarantinedItem(name, b"[]", b"{}", key(name), index) for name, index in (("q", 1), ("r", 3)))
    verdicts = (Verdict.STORED, Verdict.QUARANTINED, Verdict.STORED, Verdict.QUARANTINED)
    outcomes = tuple(Outcome(verdict, str(index)) for index, verdict in enumerate(verdicts))
    await log.storage.append(entry(row("a")))
    await log.storage.append(attrs.evolve(entry(), quarantined=held[:1], outcomes=outcomes[1:2]))
    before = await log.bodies(), await log.counts()
    mixed = attrs.evolve(entry(row("a"), row("b")), quarantined=held, outcomes=outcomes)

    for _ in range(2):
        equal(await log.storage.append(attrs.evolve(mixed, trial=True)), Appended(AppendStatus.NEW, (0, 1)))
        rows_only = attrs.evolve(entry(row("b"), row("a")), trial=True)
        equal(await log.storage.append(rows_only), Appended(AppendStatus.NEW, (1,)))
    equal((await log.bodies(), await log.counts()), before)
    equal(await log.storage.append(mixed), Appended(AppendStatus.NEW, (0, 1)))


@FAMILY.promise("after `close`, let append raise StorageUnavailable, and `healthy` be False")
async def a_closed_store_takes_nothing_and_is_not_healthy(log: Log) -> None:
    holds(log.storage.healthy)
    await log.storage.close()

    with raises(StorageUnavailable):
        await log.storage.append(entry(row(1)))
    holds(not log.storage.healthy)
