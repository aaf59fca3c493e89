"""What is said to have become of each place of an event, for events made by hand."""

from typing import Any

from gateway.operate.loss.compare import CARRIED, Fate, fates


def event(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "timestamp": "t", "properties": {}, "traits": {}, "context": {}, **fields}


def compared(before: dict[str, Any], *afters: dict[str, Any], **lost: str) -> dict[str, Fate]:
    return dict(fates(before, afters, lost))


SAME = {"type track": CARRIED, "timestamp": CARRIED}


def test_what_is_at_the_same_place_is_carried_and_what_nobody_had_is_in_no_row() -> None:
    both = event(user_id="u-1", group_id=None, context={"page": {"title": "T", "of_ours": 1}, "ip": "192.0.2.1"})
    assert compared(both, both) == {
        **SAME,
        "user_id": CARRIED,
        "context.page.title": CARRIED,
        "context.page.*": CARRIED,
        "context.ip": CARRIED,
    }


def test_a_value_that_is_elsewhere_now_is_renamed_at_whatever_depth() -> None:
    before = event(session_id="s-1", context={"acme": {"kept": {"a": 1}}})
    after = event(context={"other": {"context": {"acme": {"kept": {"a": 1}}, "session": "s-1"}}})
    assert compared(before, after) == {
        **SAME,
        "session_id": Fate("renamed", "context.other.context.session"),
        "context.acme.kept": Fate("renamed", "context.other.context.acme.kept"),
    }


def test_a_value_that_was_elsewhere_before_is_not_taken_for_a_renamed_one() -> None:
    before = event(session_id="x", properties={"a": "x"})
    after = event(properties={"a": "x"})
    assert compared(before, after) == {**SAME, "session_id": Fate("lost"), "properties.*": CARRIED}


def test_of_two_places_with_one_value_the_one_with_the_same_words_is_named() -> None:
    before = event(context={"screen": {"height": 900}, "viewport": {"height": 900}})
    after = event(properties={"screen_height": 900, "viewport_height": 900})
    assert compared(before, after) == {
        **SAME,
        "context.screen.height": Fate("renamed", "properties.screen_height"),
        "context.viewport.height": Fate("renamed", "properties.viewport_height"),
    }


def test_what_a_client_has_named_is_not_told() -> None:
    before = event(type="group", traits={"secret name": 1})
    after = event(type="track", properties={"secret name": 1})
    assert compared(before, after) == {
        "type group": Fate("changed", "track"),
        "timestamp": CARRIED,
        "traits.*": Fate("renamed", "properties.*"),
    }


def test_what_is_said_to_be_lost_has_the_reason_and_is_not_looked_for() -> None:
    before = event(group_id="x", timestamp="then")
    after = event(timestamp="now", properties={"other": "x"})
    assert compared(before, after, group_id="no_place", timestamp="no_place") == {
        "type track": CARRIED,
        "group_id": Fate("lost", "no_place"),
        "timestamp": Fate("changed", "no_place"),
    }


def test_of_several_items_the_one_that_keeps_most_of_a_place_counts() -> None:
    before = event(type="identify", user_id="u-1", anonymous_id="a-1")
    user, alias = event(type="identify", user_id="u-1"), event(type="alias", user_id="u-1", previous_id="a-1")
    assert compared(before, user, alias) == {
        "type identify": CARRIED,
        "timestamp": CARRIED,
        "user_id": CARRIED,
        "anonymous_id": Fate("renamed", "previous_id"),
    }


def test_one_and_true_and_a_float_are_three_values() -> None:
    before = event(properties={"a": 1, "b": True, "c": 1.0})
    after = event(properties={"a": True, "b": 1, "c": 1.0})
    assert sorted(fates(before, [after], {})) == [
        ("properties.*", CARRIED),
        ("properties.*", Fate("renamed", "properties.*")),
        ("properties.*", Fate("renamed", "properties.*")),
        ("timestamp", CARRIED),
        ("type track", CARRIED),
    ]
