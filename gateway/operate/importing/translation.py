"""Submissions to entries of the log: each item through its schema and `translate`, as those of live requests."""

import time
from collections.abc import Callable, Mapping

import attrs

from gateway.dialect import Item, OnInvalid, Received, Route, Submission, Translated
from gateway.dialect.message import Request
from gateway.dialect.outcome import Refusal
from gateway.dialect.timestamps import from_millis
from gateway.ingest import idempotency, kept_requests
from gateway.ingest.clients.privacy import Privacy
from gateway.ingest.items import Classified, IsBot, ItemClassifier
from gateway.ingest.registry import Installed
from gateway.operate.importing.reading import site_of
from gateway.records.redact import KeepIp, Redaction
from gateway.storage.contract import Entry


def _keeps_whole(_project: str) -> KeepIp | None:
    return None


def _asks_nothing(_project: str, _headers: Mapping[str, str]) -> Privacy | None:
    return None


@attrs.frozen
class Translation:
    """Makes entries for one project. `keep_ip`, `asked` and `is_bot` are as in Pipeline.

    `site` is the normal form of the site that items belong to which come in no request of their own. A `trial` entry
    stores nothing.
    """

    installed: Installed
    project: str
    site: str | None = None
    keep_ip: Callable[[str], KeepIp | None] = _keeps_whole
    asked: Callable[[str, Mapping[str, str]], Privacy | None] = _asks_nothing
    is_bot: IsBot | None = None
    is_trial: bool = False

    async def entry(
        self, route: Route, request: Request, submission: Submission, started: int | None = None
    ) -> tuple[Classified, Entry]:
        """Return what becomes of items, all of which have ids, and the entry to append. Raises Refusal.

        An event without a time of its own happened when its request was sent, if it is known when that `started`.
        """
        received_at = from_millis(request.received_at)
        assert received_at is not None, "the clock is outside the years 1 to 9999"
        site = site_of(self.installed, submission) or self.site
        asked = self.asked(self.project, request.headers)
        keep_ip = self.keep_ip(self.project)
        classifier = ItemClassifier(
            self.installed,
            _holding_back(route, None if started is None else from_millis(started)),
            Received(self.project, site, received_at, request.client_ip, submission.context),
            keep_ip,
            self.is_bot,
            user_agent=request.headers.get("user-agent", ""),
            is_stranger=True,  # nobody has checked a key in it, so all that may be one is redacted
            asked=asked,
        )
        classified = await classifier.classify(request, submission, _no_id, time.monotonic)
        head = (self.project, self.installed.dialect.name, route.name, request.received_at)
        key = None if self.is_trial else _key_of(request)
        record = None
        if key is not None:
            record = idempotency.record(head[:3], key, request, submission, classified.outcomes)
        kept = None
        if classified.quarantined and asked is not None and asked.anonymize:
            kept = kept_requests.kept_of_nobody(request)
        elif classified.quarantined:
            redaction = Redaction.of(request, self.installed.dialect, submission.credentials, is_stranger=True)
            kept = await kept_requests.keep(await kept_requests.redacted_request(request, redaction, site, keep_ip))
        all_stored = len(classified.rows) == len(classified.outcomes)
        entry = Entry(
            *head,
            rows=classified.rows,
            quarantined=classified.quarantined,
            blobs=() if self.is_trial else classified.blobs,
            idempotency=record,
            request=kept,
            outcomes=() if all_stored else classified.outcomes,
            imported=True,
            trial=self.is_trial,
        )
        return classified, entry


def without_bad(entry: Entry) -> Entry:
    """Return an entry with its rows only; the bad items go in others, each with a request of its own."""
    return attrs.evolve(entry, quarantined=(), request=None, outcomes=())


def bad_ones(entry: Entry) -> list[int]:
    """Return which of its items are not rows of an entry."""
    return [each.index for each in entry.quarantined]


def _holding_back(route: Route, sent: str | None) -> Route:
    """Return a route that quarantines what is invalid, because nobody waits for an answer; see `Translation.entry`."""
    if sent is None:
        return attrs.evolve(route, on_invalid=OnInvalid.QUARANTINE)

    def translate(item: Item, message_id: str, received: Received) -> Translated:
        return route.translate(item, message_id, attrs.evolve(received, received_at=sent))

    return attrs.evolve(route, on_invalid=OnInvalid.QUARANTINE, translate=translate)


def _key_of(request: Request) -> str | None:
    try:
        return idempotency.key_of(request)
    except Refusal:
        return None


def _no_id(_index: int) -> str:
    raise AssertionError("every item that is imported has an id")
