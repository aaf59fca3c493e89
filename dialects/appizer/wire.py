"""What Appizer's clients send, as values: one class for each schema, read from a payload that met it.

The vendor's spellings stand here and in the schemas only. `extra` holds the fields that an endpoint does not know;
blank strings are None where the vendor takes them for absent.
"""

from collections.abc import Mapping
from typing import Any

from gateway.dialect import unknown_fields, value_class

Fields = dict[str, Any]

APP_ID_FIELDS = ("app_id", "appId")
ID_FIELDS = ("user_id", "new_user_id", "alias_id", "primary_user_id", "userId", "anonymousId")
"""The fields that identify a user, on any endpoint."""
EVENTS = "events"
"""The array of a batch."""
BATCH_EXTRA = "$batch"
"""Where `parse` puts a batch's own unknown fields: in its first event, so that they pass the same checks."""
EVENT_NAME_POINTER = "/event"
USER_ID_POINTER = "/user_id"

_EVENT = frozenset({"event_name", "user_id", "properties", "ip", "ua"})
_TRACK = frozenset({"event", "event_name", "userId", "user_id", "anonymousId", "properties", "ip", "ua"})
_USER = frozenset({"user_id", "email", "phone", "properties", "origin"})
_ALIAS = frozenset({"user_id", "primary_user_id", "alias_id"})
_REPLACE_ID = frozenset({"user_id", "new_user_id"})


@value_class
class SentEvent:
    """The body of `/events`, and each element of `/events/batch` (documented)."""

    event_name: str
    user_id: str
    properties: Fields | None
    ip: str | None
    user_agent: str | None
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "SentEvent":
        """Return the event of a payload; `app_id` is the one that opened the request, if one did."""
        return cls(
            event_name=sent["event_name"],
            user_id=sent["user_id"],
            properties=sent.get("properties"),
            ip=sent.get("ip"),
            user_agent=sent.get("ua"),
            extra=unknown(sent, _EVENT, app_id),
        )


@value_class
class SentTrack:
    """The body of `/events/track`: camelCase, as in Segment. Only the vendor's diagrams show it.

    Of two spellings of one field the first that is not blank counts; a different value of the other is in `extra`.
    """

    event: str | None
    user_id: str | None
    anonymous_id: str | None
    properties: Fields | None
    ip: str | None
    user_agent: str | None
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "SentTrack":
        """Return the event of a payload; `app_id` is the one that opened the request, if one did."""
        extra = dict(unknown(sent, _TRACK, app_id))
        return cls(
            event=_first(sent, "event", "event_name", extra),
            user_id=_first(sent, "userId", "user_id", extra),
            anonymous_id=_present(sent.get("anonymousId")),
            properties=sent.get("properties"),
            ip=sent.get("ip"),
            user_agent=sent.get("ua"),
            extra=extra,
        )


@value_class
class SentUser:
    """The body of `/users` (documented). `origin` has no fixed fields; the samples have channel, campaign and label."""

    user_id: str
    email: str | None
    phone: str | None
    properties: Fields | None
    origin: Fields | None
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "SentUser":
        """Return the user of a payload; `app_id` is the one that opened the request, if one did."""
        return cls(
            user_id=sent["user_id"],
            email=sent.get("email"),
            phone=sent.get("phone"),
            properties=sent.get("properties"),
            origin=sent.get("origin"),
            extra=unknown(sent, _USER, app_id),
        )

    @property
    def campaign(self) -> str | None:
        """The origin's campaign, if it is a string and not empty."""
        return self._of_origin("campaign")

    @property
    def channel(self) -> str | None:
        """The origin's channel, if it is a string and not empty."""
        return self._of_origin("channel")

    def _of_origin(self, name: str) -> str | None:
        value = self.origin.get(name) if self.origin else None
        return value if isinstance(value, str) and value else None


@value_class
class SentAlias:
    """The body of `/users/aliases` (documented): `alias_id` is a second id of the user.

    The user is named by `user_id`, or by `primary_user_id`, the vendor's own UUID.
    """

    user_id: str | None
    primary_user_id: str | None
    alias_id: str
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "SentAlias":
        """Return the alias of a payload; `app_id` is the one that opened the request, if one did."""
        return cls(
            user_id=_present(sent.get("user_id")),
            primary_user_id=_present(sent.get("primary_user_id")),
            alias_id=sent["alias_id"],
            extra=unknown(sent, _ALIAS, app_id),
        )


@value_class
class SentReplaceId:
    """The body of `/users/replace-id` (documented): `user_id` stops being valid."""

    user_id: str
    new_user_id: str
    extra: Mapping[str, Any]

    @classmethod
    def read(cls, sent: Fields, app_id: str | None) -> "SentReplaceId":
        """Return the replacement of a payload; `app_id` is the one that opened the request, if one did."""
        return cls(user_id=sent["user_id"], new_user_id=sent["new_user_id"], extra=unknown(sent, _REPLACE_ID, app_id))


def unknown(sent: Mapping[str, Any], known: frozenset[str], app_id: str | None) -> Mapping[str, Any]:
    """Return the fields that are not known. The app id that opened the request is left out."""
    extra = unknown_fields(sent, known)
    if not extra or app_id is None:
        return extra
    return {name: value for name, value in extra.items() if name not in APP_ID_FIELDS or value != app_id}


def _present(text: str | None) -> str | None:
    return text if text is not None and text.strip() else None


def _first(sent: Fields, first: str, second: str, extra: Fields) -> str | None:
    """Return the first of two spellings that is not blank. A different value of the second is put into `extra`."""
    one, two = _present(sent.get(first)), _present(sent.get(second))
    if one is None:
        return two
    if two is not None and two != one:
        extra[second] = two
    return one
