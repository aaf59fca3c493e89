"""What a receipt promises: the outcome of each item, and how it went on."""

from hashlib import sha256

import attrs

from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.storage.store import Store
from gateway.testing.engine.expect import equal
from gateway.testing.engine.given.entries import entry, kept, row
from gateway.testing.engine.given.reading import positions_of
from gateway.testing.engine.given.receipts import RAW, bad, event, number_of, opened
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("receipts", ready_store)


@FAMILY.promise(
    "keep a receipt for each entry in its commit: the verdict, the id and the faults of every item in their "
    "order, the position of a stored one, the number of a quarantined one, and `since`, what became of that "
    "later; answer None to what names no receipt"
)
async def a_receipt_has_the_outcome_of_each_item_and_how_it_went_on(store: Store) -> None:
    async with opened(store) as (storage, records):
        plain = await storage.append(entry(event("a"), event("b")))
        faults = (Fault("required", "/event", {}),)
        outcomes = (
            Outcome(Verdict.STORED, "a"),
            Outcome(Verdict.QUARANTINED, "q", faults),
            Outcome(Verdict.STORED, "c"),
            Outcome(Verdict.REJECTED, "bad", faults),
            Outcome(Verdict.QUARANTINED, "r", faults),
        )
        mixed = await storage.append(
            attrs.evolve(
                entry(event("a"), event("c"), quarantined=(bad("q", 1), bad("r", 4))),
                outcomes=outcomes,
                request=kept(RAW),
            )
        )
        empty = await storage.append(entry())
        stored, (q, r) = await positions_of(store), [await number_of(records, name) for name in "qr"]
        head = {"project": "p", "dialect": "toy", "route": "track", "received_at": "2023-11-14T22:13:20.000Z"}
        equal(
            await records.receipt(f"{plain.receipt:x}"),
            {
                "receipt": f"{plain.receipt:x}",
                **head,
                "items": [{"verdict": "stored", "message_id": name, "position": stored[name]} for name in "ab"],
            },
        )
        fault = {"code": "required", "pointer": "/event", "detail": {}}
        items: list[dict[str, object]] = [
            {"verdict": "duplicate", "message_id": "a"},
            {"verdict": "quarantined", "message_id": "q", "quarantine": q, "faults": [fault]},
            {"verdict": "stored", "message_id": "c", "position": stored["c"]},
            {"verdict": "rejected", "message_id": "bad", "faults": [fault]},
            {"verdict": "quarantined", "message_id": "r", "quarantine": r, "faults": [fault]},
        ]
        equal(await records.receipt(f"{mixed.receipt:x}"), {"receipt": f"{mixed.receipt:x}", **head, "items": items})
        equal(await records.receipt(f"{empty.receipt:x}"), {"receipt": f"{empty.receipt:x}", **head, "items": []})

        await storage.append(attrs.evolve(entry(event("q")), resolves=q))
        await storage.append(attrs.evolve(entry(), resolves=r))
        items[1]["since"] = f"stored at position {(await positions_of(store))['q']}"
        items[4]["since"] = "dropped"
        found = await records.receipt(f"{mixed.receipt:X}")
        assert found is not None
        equal(found["items"], items)

        for unknown in ("0", "zzz", "f" * 16, "1" * 40, "../2", f"{plain.receipt + 1:x}"):
            equal(await records.receipt(unknown), None)


@FAMILY.promise("give the ids of thousands of items too, from the events and from the quarantine")
async def a_receipt_of_very_many_items_has_their_ids_from_where_else_they_are(store: Store) -> None:
    names = [sha256(str(number).encode()).hexdigest()[:16] for number in range(4000)]
    stored = [event(name) for name in names[:2000]]
    # What clients named is in their request anyhow; only the ids that the gateway made are kept.
    quarantined = tuple([attrs.evolve(bad(name, index), key=None) for index, name in enumerate(names[2000:], 2000)])
    async with opened(store) as (storage, records):
        answer = await storage.append(attrs.evolve(entry(*stored, quarantined=quarantined), request=kept(RAW)))
        found = await records.receipt(f"{answer.receipt:x}")
        assert found is not None
        equal([item["verdict"] for item in found["items"]], ["stored"] * 2000 + ["quarantined"] * 2000)
        equal([item["message_id"] for item in found["items"]], names)
        places = await positions_of(store)
        equal([item["position"] for item in found["items"][:2000]], [places[name] for name in names[:2000]])


@FAMILY.promise("let the number of a receipt be unique over all projects")
async def receipts_of_many_projects_are_found_by_their_id_alone(store: Store) -> None:
    projects = [f"project {number % 7}{'!' * (number % 3)}" for number in range(40)]
    async with opened(store) as (storage, records):
        answers = [
            await storage.append(attrs.evolve(entry(row(number), project=project), received_at=1_700_000_000_000))
            for number, project in enumerate(projects)
        ]
        for project, answer in zip(projects, answers, strict=True):
            found = await records.receipt(f"{answer.receipt:x}")
            assert found is not None
            equal(found["project"], project)
