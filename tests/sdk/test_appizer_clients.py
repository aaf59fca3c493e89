"""Appizer publishes no client for servers: its pages show plain HTTP, so only the base of the address changes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.dialects.appizer.sdk import APPIZER_KEY, APPIZER_READER
from tests.kit.serving import Served
from tests.sdk.clients import CLIENTS, Answer, Headers
from tests.sdk.stored import MADE_FROM_KEY, Kept, event

SDK = "Appizer HTTP API"
EVERY = pytest.mark.parametrize("client", CLIENTS)
KEY = {"Authorization": f"Bearer {APPIZER_KEY}"}
Post = Callable[[str, object, Headers], Answer]


@pytest.fixture
def post(client: str, gateway: Served) -> Post:
    """Post to a path of the gateway with the client under test."""
    return lambda path, body, headers: CLIENTS[client](gateway.url + path, body, headers)


def id_of(answer: Answer, name: str, begins: str) -> str:
    """Take an id out of an answer's body, and return it."""
    value: Any = answer[1].pop(name)
    assert value.startswith(begins)
    return str(value)


@EVERY
@pytest.mark.proves(SDK, "{client}", "POST /v1/events")
def test_an_event_is_stored_under_the_id_that_the_client_is_told(post: Post, stored: Kept, client: str) -> None:
    body = {
        "event_name": "order_paid",
        "user_id": "auth0|abc123",
        "properties": {"total": 12.5, "page": "/pay"},
        "ip": "203.0.113.9",
        "ua": "Mozilla/5.0",
    }
    answer = post("/v1/events", body, KEY)
    told = id_of(answer, "event_id", "evt_")
    assert answer == (200, {"success": True, "message": "Event tracked successfully"})
    assert stored.take(1) == [
        event(
            "appizer",
            name="order_paid",
            user_id="auth0|abc123",
            properties={"total": 12.5, "page": "/pay"},
            context={"ip": "203.0.113.9", "user_agent": "Mozilla/5.0"},
        )
    ]
    assert told.removeprefix("evt_") == stored.ids[0]


@EVERY
@pytest.mark.proves(SDK, "{client}", "POST /v1/events/batch of 100, two alike")
def test_a_full_batch_is_counted_and_stored_two_alike_as_two(post: Post, stored: Kept, client: str) -> None:
    events = [{"event_name": f"e{max(number, 1)}", "user_id": "u-1"} for number in range(100)]
    counted = {"success": True, "processed_count": 100, "message": "Batch events tracked successfully"}
    assert post("/v1/events/batch", {"events": events}, KEY) == (200, counted)
    assert stored.take(100) == [event("appizer", name=f"e{max(number, 1)}", user_id="u-1") for number in range(100)]


@EVERY
@pytest.mark.proves(SDK, "{client}", "POST /v1/users, /v1/users/aliases, /v1/users/replace-id")
def test_a_person_is_created_linked_and_renamed(post: Post, stored: Kept, client: str) -> None:
    person = {
        "user_id": "u-1",
        "email": "a@example.com",
        "phone": "+1234567890",
        "properties": {"plan": "pro"},
        "origin": {"channel": "ads", "campaign": "spring", "label": "x"},
    }
    created = [post("/v1/users", person, KEY) for _ in range(2)]
    first, second = (id_of(answer, "user_id", "usr_") for answer in created)
    assert first == second
    assert created[0] == (200, {"success": True, "external_id": "u-1", "message": "User created/updated successfully"})
    linked = {"success": True, "alias_id": "a-1", "user_id": "u-1", "message": "Alias created"}
    assert post("/v1/users/aliases", {"user_id": "u-1", "alias_id": "a-1"}, KEY) == (200, linked)
    renamed = {"success": True, "user_id": "u-2", "message": "User ID updated"}
    assert post("/v1/users/replace-id", {"user_id": "u-1", "new_user_id": "u-2"}, KEY) == (200, renamed)
    origin = {"channel": "ads", "campaign": "spring", "label": "x"}
    identified = event(
        "appizer",
        "identify",
        user_id="u-1",
        traits={"plan": "pro", "email": "a@example.com", "phone": "+1234567890"},
        context={"campaign": {"name": "spring", "source": "ads"}, "appizer": {"origin": origin}},
    )
    assert stored.take(4) == [
        identified,
        identified,
        event("appizer", "alias", user_id="u-1", previous_id="a-1"),
        event("appizer", "alias", user_id="u-2", previous_id="u-1", context={"appizer": {"replace": True}}),
    ]


@EVERY
@pytest.mark.proves(SDK, "{client}", "POST /v1/events/track, the diagrams' form")
def test_the_form_of_the_diagrams_is_taken_too(post: Post, stored: Kept, client: str) -> None:
    answer = post("/v1/events/track", {"event": "seen", "anonymousId": "anon-1", "properties": {"n": 1}}, KEY)
    assert id_of(answer, "eventId", "evt_")
    assert id_of(answer, "timestamp", "20")
    assert answer == (200, {"success": True})
    assert stored.take(1) == [event("appizer", name="seen", anonymous_id="anon-1", properties={"n": 1})]


@EVERY
@pytest.mark.proves(SDK, "{client}", "a retry under an Idempotency-Key")
def test_a_retry_under_a_key_gets_the_first_answer_and_is_stored_once(post: Post, stored: Kept, client: str) -> None:
    headers = {**KEY, "Idempotency-Key": f"retry-{client}"}
    body = {"event_name": "paid", "user_id": "u-1"}
    assert post("/v1/events", body, headers) == post("/v1/events", body, headers)
    assert post("/v1/events", {**body, "user_id": "u-2"}, headers)[0] == 409
    assert stored.take(1) == [event("appizer", name="paid", message_id=MADE_FROM_KEY, user_id="u-1")]


@EVERY
@pytest.mark.proves(SDK, "{client}", "errors: missing field, wrong type, no key, wrong key, no permission")
def test_errors_come_in_the_vendors_envelope(post: Post, stored: Kept, client: str) -> None:
    good = {"event_name": "paid", "user_id": "u-1"}
    missing = post("/v1/events", {"event_name": "paid"}, KEY)
    assert missing[0] == 400
    assert (missing[1]["error"], missing[1]["message"], missing[1]["code"]) == (
        "Bad Request",
        "Missing required field: user_id",
        "MISSING_FIELD",
    )
    wrong_type = {"field": "properties", "expected": "object", "received": "string"}
    assert post("/v1/events", {**good, "properties": "x"}, KEY) == (
        400,
        {"error": "Bad Request", "message": "Invalid field type", "code": "INVALID_TYPE", "details": wrong_type},
    )
    assert post("/v1/events", good, {}) == (
        401,
        {"error": "Unauthorized", "message": "Missing Authorization header", "code": "MISSING_AUTH"},
    )
    assert post("/v1/events", {}, {"Authorization": "Bearer ak_wrong"}) == (
        401,
        {"error": "Unauthorized", "message": "Invalid API key", "code": "INVALID_API_KEY"},
    )
    assert post("/v1/events", good, {"Authorization": f"Bearer {APPIZER_READER}"}) == (
        403,
        {
            "error": "Forbidden",
            "message": "API key does not have permission for this operation",
            "code": "INSUFFICIENT_PERMISSIONS",
            "details": {"required_permission": "write", "current_permissions": ["read"]},
        },
    )
    assert stored.take(0) == []
