"""Checks that known facts have their canonical places, which docs/events.md lists: nobody looks for them elsewhere."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import attrs

from gateway.dialect import Event
from gateway.testing.check import Check, fail, require
from gateway.testing.samples.readings import Reading, events, of_sample, readings
from gateway.testing.subject import Subject

IP, USER_AGENT, ORIGIN = "203.0.113.77", "Mozilla/5.0 (a browser of the kit)", "https://shop.example"
FROM_VISITOR = (
    "return visitor(request) of gateway.dialect in Submission.context, and begin the event's context with "
    "Received.context"
)
PLACES: Mapping[str, str] = {
    **dict.fromkeys(("useragent",), "context.user_agent"),
    **dict.fromkeys(("ip", "ipaddress", "clientip"), "context.ip"),
    **dict.fromkeys(("locale", "language"), "context.locale"),
    **dict.fromkeys(("timezone", "tz"), "context.timezone"),
    **dict.fromkeys(("referrer", "referer", "pagereferrer"), "context.page.referrer"),
    **dict.fromkeys(("pageurl",), "context.page.url"),
    **dict.fromkeys(("pagetitle",), "context.page.title"),
    **{f"utm{name}": f"context.campaign.{name}" for name in ("source", "medium", "term", "content")},
    "utmcampaign": "context.campaign.name",
    **{name: f"context.campaign.{name}" for name in ("gclid", "fbclid", "ttclid", "twclid", "msclkid")},
    "userid": "user_id",
    "anonymousid": "anonymous_id",
    "sessionid": "session_id",
    "groupid": "group_id",
    "sentat": "sent_at",
}
"""Where a fact belongs, by the name of its field in lower case, without `_` and `-`."""
OF_PAGES: Mapping[str, str] = {name: f"context.page.{name}" for name in ("url", "path", "title")}
"""The same for what names the page only in an event that is one: a track may be about anything with a title."""


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of what stands where."""
    yield Check("facts/a browser's address and user agent are its visitor's", partial(_of_browsers, subject))
    yield Check("facts/a server's address and user agent are not kept", partial(_of_servers, subject))
    yield Check("facts/the context has canonical places and the dialect's own", partial(_of_context, subject))
    yield Check("facts/a known fact is in its canonical place", partial(_in_place, subject))


def _of_browsers(subject: Subject) -> None:
    for reading in _sent_by(subject, is_browser=True):
        for index, _, event in events(subject.installed, reading):
            for name, value in (("ip", IP), ("user_agent", USER_AGENT)):
                require(
                    event.context.get(name),
                    f"{reading.title}, sent by a browser from {IP} with a User-Agent: context.{name} of event {index} "
                    f"is empty, and not {value!r}",
                    FROM_VISITOR,
                )


def _of_servers(subject: Subject) -> None:
    """Fail where a key is shown that servers only have. A page's image on plain http looks like a server's request."""
    kinds = subject.installed.kinds
    for reading in _sent_by(subject, is_browser=False):
        if all(kinds[each.kind].public for each in reading.submission.credentials):
            continue
        for index, _, event in events(subject.installed, reading):
            for name, value in (("ip", IP), ("user_agent", USER_AGENT)):
                require(
                    event.context.get(name) != value,
                    f"{reading.title}, sent by a server (it shows a secret, and neither Origin nor "
                    f"Sec-Fetch-Site): context.{name} of event {index} is that of the server",
                    FROM_VISITOR,
                )


def _of_context(subject: Subject) -> None:
    document = subject.installed.canonical.document
    canonical = document["$defs"]["context"]["properties"].keys() - {"privacy"} | {subject.dialect.name}
    for reading in readings(subject.installed, subject.corpus):
        for index, _, event in events(subject.installed, reading):
            others = sorted(event.context.keys() - canonical)
            require(
                not others,
                f"{reading.title}: the context of event {index} has {', '.join(others)}",
                f"put it into its canonical place (docs/events.md), or into context.{subject.dialect.name}",
            )


def _in_place(subject: Subject) -> None:
    """Fail if a fact of an item is only ever kept in another place than its own, which is empty.

    A fact is a field that the dialect's schema describes. What a client names itself is its own affair: the objects
    that become properties or traits as they are. Of some values a dialect may know that they are none.
    """
    found: dict[tuple[str, str], tuple[str, str] | None] = {}
    for reading in readings(subject.installed, subject.corpus):
        for index, item, event in events(subject.installed, reading):
            document = subject.installed.schemas[item.schema].document
            for path, value in _facts(item.payload, document, document, event, ()):
                place = _places(event)[_plain(path[-1])]
                field, is_there = (item.schema, ".".join(path)), _at(event, place) not in (None, "")
                kept = None if is_there else _other_place(subject.dialect.name, event, value)
                if is_there or (field in found and found[field] is None):
                    found[field] = None
                elif kept is not None:
                    text = f"{reading.title}: {field[1]} of item {index} is kept as {kept}, and {place} is empty"
                    found.setdefault(field, (text, place))
    for problem in found.values():
        if problem is not None:
            fail(problem[0], f"put it into {problem[1]} in `translate`; docs/events.md says what goes where")


def _other_place(dialect: str, event: Event, value: str) -> str | None:
    own = {f"context.{dialect}": event.context.get(dialect), "properties": event.properties, "traits": event.traits}
    return next((path for root, tree in own.items() for path in _paths_of(value, tree, root)), None)


def _facts(
    fields: object, schema: Any, document: Mapping[str, Any], event: Event, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the described fields of an item that are texts and whose names say what they are, by their path."""
    if not isinstance(fields, Mapping) or (path and _is_own(fields, event)):
        return
    for name, rules in _described(schema, document).items():
        value = fields.get(name)
        if isinstance(value, str) and value and _plain(name) in _places(event):
            yield (*path, name), value
        yield from _facts(value, rules, document, event, (*path, name))


def _described(schema: Any, document: Mapping[str, Any], most: int = 8) -> Mapping[str, Any]:
    """Return the schemas of an object's fields, by name; those of `most` references one behind the other too."""
    if not isinstance(schema, Mapping) or not most:
        return {}
    found = dict(schema.get("properties", {}))
    reference = schema.get("$ref", "")
    if reference.startswith("#/$defs/"):
        found |= _described(document.get("$defs", {}).get(reference.removeprefix("#/$defs/")), document, most - 1)
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found |= _described(part, document, most - 1)
    return found


def _is_own(fields: Mapping[str, Any], event: Event) -> bool:
    """Return whether an object's members have all become properties, or traits, under their own names."""
    return any(
        all(made.get(name) == value for name, value in fields.items()) for made in (event.properties, event.traits)
    )


def _at(event: Event, place: str) -> object:
    first, *rest = place.split(".")
    value: Any = getattr(event, first)
    for name in rest:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _paths_of(value: str, tree: object, path: str) -> Iterator[str]:
    if tree == value:
        yield path
    elif isinstance(tree, Mapping):
        for name, child in tree.items():
            yield from _paths_of(value, child, f"{path}.{name}")


def _places(event: Event) -> Mapping[str, str]:
    return {**PLACES, **OF_PAGES} if event.type == "page" else PLACES


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _sent_by(subject: Subject, *, is_browser: bool) -> Iterator[Reading]:
    """Yield the samples as they are read when a browser sends them, or a server."""
    for sample in subject.samples:
        request = sample.request.with_header("User-Agent", USER_AGENT)
        for name in ("Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"):
            request = request.with_header(name, None)
        if is_browser:
            request = request.with_header("Origin", sample.read.headers.get("origin", ORIGIN))
        reading = of_sample(sample, attrs.evolve(request, client_ip=IP))
        if reading is not None:
            yield reading
