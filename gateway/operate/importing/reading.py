"""Items of a file to submissions, by the route's own `parse`: many in one request where that says the same. Pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

import attrs

from gateway.dialect import Item, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Refusal
from gateway.ingest.ids import derived
from gateway.ingest.registry import Installed
from gateway.operate.importing.found import SHOWN, Found, RecordedRequest
from gateway.operate.importing.shape import Shape


@attrs.frozen
class Part:
    """Items that share a request: what was found in the file, one each, and what the dialect reads of the request."""

    found: Sequence[Found]
    request: Request
    submission: Submission


def derived_id(source: bytes, line: int, index: int = 0) -> str:
    """Return the id of an item that has none: always the same for the same content in the same line.

    `index` is its place among the items of one recorded request.
    """
    return derived("import", hashlib.blake2b(source, digest_size=16).hexdigest(), str(line), str(index))


def parts(shape: Shape, found: Sequence[Found], received_at: int) -> Iterator[Part]:
    """Yield items in parts; those of one site in their order. An item that cannot be read is alone.

    A request may say something for all of its items that it reads from one of them, such as their site. So no two items
    share one that name different sites, and what a request cannot hold is tried item by item.
    """
    singles: list[Part] = []
    for each in _requests(shape, found, received_at):
        if len(each.found) == 1 and each.submission.items[0].fault is None:
            if singles and not _alike(singles[0].submission, each.submission):
                yield _merged(singles)
                singles = []
            singles.append(each)
            continue
        if singles:
            yield _merged(singles)
            singles = []
        yield each
    if singles:
        yield _merged(singles)


def _requests(shape: Shape, found: Sequence[Found], received_at: int) -> Iterator[Part]:
    start = 0
    while start < len(found):
        end = start
        while end < len(found) and end - start < shape.most and found[end].fault is None and found[end].is_json:
            end += 1
        group = found[start : max(end, start + 1)]
        for same in _by_site(shape, group, received_at):
            part = _together(shape, same, received_at) if len(same) > 1 else None
            if part is not None:
                yield part
            else:
                yield from (alone(shape, each, received_at) for each in same)
        start += len(group)


def _by_site(shape: Shape, group: Sequence[Found], received_at: int) -> Iterable[Sequence[Found]]:
    """Return items in groups that name the same site, or none; each group in its order."""
    part = _together(shape, group, received_at) if len(group) > 1 else None
    if part is None or len({item.site for item in part.submission.items}) == 1:
        return (group,)
    sites: dict[str | None, list[Found]] = {}
    for item, each in zip(part.submission.items, group, strict=True):
        sites.setdefault(item.site, []).append(each)
    return sites.values()


def _alike(one: Submission, other: Submission) -> bool:
    """Return whether the items of two submissions may be looked at as those of one."""
    return (
        one.credentials == other.credentials
        and one.context == other.context
        and one.items[0].site == other.items[0].site
    )


def _merged(singles: Sequence[Part]) -> Part:
    """Return items that came alone as if they had come together: the first one's request stands for all."""
    first = singles[0]
    if len(singles) == 1:
        return first
    items = tuple([item for each in singles for item in each.submission.items])
    found = [each for part in singles for each in part.found]
    return Part(found, first.request, attrs.evolve(first.submission, items=items))


def _together(shape: Shape, group: Sequence[Found], received_at: int) -> Part | None:
    """Return items in one request; None if it does not hold one item for each."""
    request = shape.request([each.text for each in group], received_at)
    try:
        submission = shape.route.parse(request)
    except Refusal:
        return None
    if submission.fault is not None or len(submission.items) != len(group):
        return None
    return Part(group, request, submission)


def alone(shape: Shape, found: Found, received_at: int, headers: dict[str, str] | None = None) -> Part:
    """Return one item in a request of its own. If the dialect cannot read that, the item has its fault."""
    request = shape.request([found.text], received_at, headers)
    fault, submission = found.fault, Submission()
    if fault is None:
        try:
            submission = shape.route.parse(request)
            fault = submission.fault
        except Refusal as refusal:
            fault = fault_of(refusal)
        if fault is None and len(submission.items) != 1:
            fault = Fault("no_such_item")
    if fault is not None:
        submission = attrs.evolve(submission, items=(unread(found.text, fault),), fault=None)
    return Part((found,), request, submission)


def fault_of(refusal: Refusal) -> Fault:
    """Return a refusal of a whole request as what is wrong with it."""
    return Fault(refusal.reason.value, detail=refusal.detail)


def unread(text: bytes, fault: Fault) -> Item:
    """Return what stands for an item that the dialect cannot read; the beginning of it is its payload."""
    return Item("import", "", text[:SHOWN].decode("utf-8", "replace"), fault=fault)


def with_ids(part: Part) -> Submission:
    """Return the submission of a part, each of its items with an id."""
    items = part.submission.items
    if None not in [item.message_id for item in items]:
        return part.submission
    named = [
        item if item.message_id else attrs.evolve(item, message_id=derived_id(found.source, found.line))
        for item, found in zip(items, part.found, strict=True)
    ]
    return attrs.evolve(part.submission, items=tuple(named))


def with_ids_of(recorded: RecordedRequest, submission: Submission) -> Submission:
    """Return the submission of a recorded request, each of its items with an id."""
    query = json.dumps(sorted(recorded.query.items())).encode()
    source = b"\n".join((recorded.method.encode("utf-8", "replace"), query, recorded.body))
    items = [
        item if item.message_id else attrs.evolve(item, message_id=derived_id(source, recorded.line, index))
        for index, item in enumerate(submission.items)
    ]
    return attrs.evolve(submission, items=tuple(items))


def site_of(installed: Installed, submission: Submission) -> str | None:
    """Return the site that a request was sent for: the first one that it shows as a credential."""
    return next((each.value for each in submission.credentials if installed.kinds[each.kind].is_site), None)
