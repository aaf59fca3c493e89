"""The credentials and a plain browser call of every dialect: those of its own tests, or such as its corpus has."""

import json

from gateway.testing import Subject
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.corpus.message import NOW, SentRequest
from gateway.testing.gate import Gate, counted_ids
from gateway.testing.samples.places import json_of
from gateway.testing.samples.sample import Sample
from tests.kit.of_dialects import modules, subjects
from tests.kit.opened_by import opened_by
from tests.sdk.calls import AROUND, JSON, Call
from tests.sdk.site import HOST
from tests.sdk.stored import MADE_HERE, RECEIVED

A_BROWSERS = (
    *("accept", "connection", "content-", "cookie", "host", "idempotency-key", "origin", "referer", "sec-", "user-"),
)
"""How headers begin that a page does not set itself, or that another one takes the place of."""


def _found(subject: Subject) -> tuple[Call, tuple[str, str]]:
    """Return the first request of a corpus that a page can send as a call, and the kind and value that open it."""
    for sample in subject.samples:
        known = opened_by(subject, sample)
        if known is not None and sample.request.method == "POST" and len(sample.events) == 1:
            return _call(subject, sample, known), (known.kind, known.value)
    raise AssertionError(f"no case of {subject.corpus.folder} is a call that a page can make")


def _call(subject: Subject, sample: Sample, known: CorpusCredential) -> Call:
    """Return a sample as a page sends it, with what a gateway in memory makes of it."""
    own = {name: value for name, value in sample.request.headers.items() if not name.lower().startswith(A_BROWSERS)}
    headers = {**own, **JSON}
    around = {"Origin": f"http://{HOST}", "User-Agent": AROUND["user_agent"]}
    sent = SentRequest("POST", sample.request.target, {**headers, **around}, sample.request.body, AROUND["ip"])
    gate = Gate.of(subject.dialect, [CorpusCredential(known.kind, known.value, "shop")])
    [answer] = gate.send(sent)
    [stored] = [json.loads(body) for body in gate.storage.bodies]
    for name in ("timestamp", "received_at"):
        stored[name] = RECEIVED if stored[name] == stored["received_at"] else stored[name]
    if stored["message_id"] == counted_ids()(NOW):
        stored["message_id"] = MADE_HERE
    return Call(sent.target, headers, json_of(sent), answer.status, stored)


_OWN = modules("sdk")
_FOUND = {name: _found(subject) for name, subject in subjects().items() if name not in _OWN}

CALLS: dict[str, Call] = {
    **{name: each.CALL for name, each in _OWN.items()},
    **{name: call for name, (call, _) in _FOUND.items()},
}
KEYS: list[tuple[str, ...]] = [
    *((name, *key) for name, each in _OWN.items() for key in each.KEYS),
    *((name, *key) for name, (_, key) in _FOUND.items()),
]
"""Dialect, kind, value and further options of `gateway keys add`."""
