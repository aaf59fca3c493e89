"""What clients send, one class an endpoint, read from payloads that met their schema. Unknown fields are `extra`."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect import value_class

Fields = dict[str, Any]
NO_FIELDS: Mapping[str, Any] = {}
APP_ID_FIELDS = ("app_id", "appId")
BATCH_REST = "$batch"  # where parse puts a batch's own unknown fields, in its first event

_EVENT = frozenset({"event_name", "user_id", "properties", "ip", "ua"})
_TRACK = frozenset({"event", "event_name", "userId", "user_id", "anonymousId", "properties", "ip", "ua"})
_USER = frozenset({"user_id", "email", "phone", "properties", "origin"})
_ALIAS = frozenset({"user_id", "primary_user_id", "alias_id"})
_REPLACE_ID = frozenset({"user_id", "new_user_id"})


@value_class
class TrackEvent:
    """`/events`, and each element of `/events/batch` (documented)."""

    event_name: str
    user_id: str
    properties: Fields | None
    ip: str | None
    ua: str | None
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "TrackEvent":
        """Return the event of a payload; `app_id` is the one that opened the request."""
        get = sent.get
        return cls(
            sent["event_name"],
            sent["user_id"],
            get("properties"),
            get("ip"),
            get("ua"),
            NO_FIELDS if sent.keys() <= _EVENT else unknown(sent, _EVENT, app_id),
        )


@value_class
class TolerantTrack:
    """`/events/track`, which only the vendor's diagrams show: camelCase, Segment-like.

    Of two spellings of one field the first that is not blank counts; another value in the other stays in `extra`.
    """

    event: str | None
    user_id: str | None
    anonymous_id: str | None
    properties: Fields | None
    ip: str | None
    ua: str | None
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "TolerantTrack":
        """Return the call of a payload; `app_id` is the one that opened the request."""
        extra = unknown(sent, _TRACK, app_id)
        return cls(
            _either(sent, "event", "event_name", extra),
            _either(sent, "userId", "user_id", extra),
            present(sent.get("anonymousId")),
            sent.get("properties"),
            sent.get("ip"),
            sent.get("ua"),
            extra,
        )


@value_class
class UserUpsert:
    """`/users` (documented); `origin` is free-form, its sample keys are channel, campaign and label."""

    user_id: str
    email: str | None
    phone: str | None
    properties: Fields | None
    origin: Fields | None
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "UserUpsert":
        """Return the user of a payload; `app_id` is the one that opened the request."""
        get = sent.get
        extra = unknown(sent, _USER, app_id)
        return cls(sent["user_id"], get("email"), get("phone"), get("properties"), get("origin"), extra)


@value_class
class Alias:
    """`/users/aliases` (documented): `alias_id` is the second id of `user_id`, or of the vendor's own UUID instead."""

    user_id: str | None
    primary_user_id: str | None
    alias_id: str
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "Alias":
        """Return the alias of a payload; `app_id` is the one that opened the request."""
        user_id, primary = present(sent.get("user_id")), present(sent.get("primary_user_id"))
        return cls(user_id, primary, sent["alias_id"], unknown(sent, _ALIAS, app_id))


@value_class
class ReplaceId:
    """`/users/replace-id` (documented): `user_id` stops being valid."""

    user_id: str
    new_user_id: str
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "ReplaceId":
        """Return the replacement of a payload; `app_id` is the one that opened the request."""
        return cls(sent["user_id"], sent["new_user_id"], unknown(sent, _REPLACE_ID, app_id))


def unknown(sent: Fields, known: frozenset[str], app_id: str | None) -> Fields:
    """Return the fields that an endpoint does not know; the app id that opened the request is not one of them."""
    extra = {name: value for name, value in sent.items() if name not in known}
    if extra and app_id is not None:
        for name in APP_ID_FIELDS:
            if extra.get(name) == app_id:
                del extra[name]
    return extra


def present(text: str | None) -> str | None:
    """Return a text, or None where it is blank."""
    return text if text is not None and text.strip() else None


def _either(sent: Fields, first: str, second: str, extra: Fields) -> str | None:
    one, other = present(sent.get(first)), present(sent.get(second))
    if one is None:
        return other
    if other is not None and other != one:
        extra[second] = other
    return one
