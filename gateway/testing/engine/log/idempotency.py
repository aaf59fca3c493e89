"""What an idempotency record promises: a retry is answered as the first time, and stores nothing."""

import asyncio
from hashlib import sha256

import attrs

from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.storage.contract import Appended, AppendStatus, QuarantinedItem
from gateway.testing.engine.expect import equal, holds
from gateway.testing.engine.given.appending import Log, opened
from gateway.testing.engine.given.entries import body, claim, entry, row, stored_items
from gateway.testing.engine.promise import Family

FAMILY = Family("idempotency", opened)


@FAMILY.promise(
    "keep Entry.idempotency in the commit of its entry; when its digest and fingerprint come again, answer "
    "REPLAYED with the outcomes that were kept, and store nothing"
)
async def a_claim_that_comes_again_is_answered_with_the_first_memory(log: Log) -> None:
    first = await log.storage.append(entry(row(1), idempotency=claim("k", outcomes=stored_items("first"))))
    again = await log.storage.append(entry(row(2), idempotency=claim("k", outcomes=stored_items("second"))))

    equal(
        (first, again),
        (
            Appended(AppendStatus.NEW),
            Appended(AppendStatus.REPLAYED, outcomes=stored_items("first")),
        ),
    )
    equal(await log.bodies(), [body(1)])


@FAMILY.promise(
    "keep the outcomes with the verdict DUPLICATE where an item was one: Appended.applied_to(outcomes) of the "
    "first commit"
)
async def a_replay_is_answered_with_what_the_items_became_the_first_time(log: Log) -> None:
    outcomes = (*stored_items("m-1", "m-2"), Outcome(Verdict.REJECTED, "m-3", (Fault("type", "/at", {"limit": 1}),)))
    first = attrs.evolve(entry(row(1), row(2), idempotency=claim("k", outcomes=outcomes)), outcomes=outcomes)
    await log.storage.append(entry(row(2)))

    answers = [await log.storage.append(first) for _ in range(2)]

    became = (outcomes[0], Outcome(Verdict.DUPLICATE, "m-2"), outcomes[2])
    equal(
        answers,
        [
            Appended(AppendStatus.NEW, duplicates=(1,)),
            Appended(AppendStatus.REPLAYED, outcomes=became),
        ],
    )
    equal(answers[0].applied_to(outcomes), became)
    equal(await log.bodies(), [body(2), body(1)])


@FAMILY.promise("keep the verdict of each item and the number of the receipt, however many items a request has")
async def a_replay_of_very_many_items_is_answered_as_the_first_time(log: Log) -> None:
    verdicts = (Verdict.QUARANTINED, Verdict.REJECTED, Verdict.FILTERED)
    outcomes = tuple(
        Outcome(verdicts[index % 3], sha256(b"%d" % index).hexdigest(), (Fault("type", f"/{index}"),))
        for index in range(6000)
    )
    held = tuple(
        QuarantinedItem(outcome.message_id, b"[]", index=index, verdict=outcome.verdict.value)
        for index, outcome in enumerate(outcomes)
        if outcome.verdict is not Verdict.REJECTED
    )
    large = attrs.evolve(entry(idempotency=claim("k", outcomes=outcomes)), quarantined=held, outcomes=outcomes)

    answers = [await log.storage.append(large) for _ in range(2)]

    equal([answer.status for answer in answers], [AppendStatus.NEW, AppendStatus.REPLAYED])
    equal([answer.applied_to(outcomes) == outcomes for answer in answers], [True, True])
    holds(answers[0].receipt == answers[1].receipt > 0)


@FAMILY.promise("when a known digest comes with another fingerprint, answer CONFLICT, store nothing and count nothing")
async def a_claim_with_other_content_is_a_conflict_and_stores_nothing(log: Log) -> None:
    await log.storage.append(entry(row(1), idempotency=claim("k", "this")))

    equal(await log.storage.append(entry(row(2), idempotency=claim("k", "that"))), Appended(AppendStatus.CONFLICT))
    equal(await log.bodies(), [body(1)])
    equal(await log.counts(), {"received": 1, "stored": 1, "duplicate": 0, "quarantined": 0})


@FAMILY.promise("look an idempotency record up inside the commit, among those of the same group of entries too")
async def of_two_claims_at_once_one_is_fresh_and_the_other_replays_it(log: Log) -> None:
    entries = [
        entry(row(1), idempotency=claim("k", outcomes=stored_items("first"))),
        entry(row(1), idempotency=claim("k", outcomes=stored_items("second"))),
        entry(row(2), idempotency=claim("k", "that")),
    ]
    answers = await asyncio.gather(*[log.storage.append(each) for each in entries])

    equal(
        answers,
        [
            Appended(AppendStatus.NEW),
            Appended(AppendStatus.REPLAYED, outcomes=stored_items("first")),
            Appended(AppendStatus.CONFLICT),
        ],
    )
    equal(await log.bodies(), [body(1)])
