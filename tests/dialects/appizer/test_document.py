"""Appizer's OpenAPI document has every path and every status."""

from tests.operate.openapi.documents import statuses


def test_its_document_has_every_path_and_every_status() -> None:
    every = "200 400 401 403 408 409 413 415 429 500 503"
    names = ("events", "events/batch", "events/track", "users", "users/aliases", "users/replace-id")
    assert statuses("appizer") == {f"POST {v1}/{each}": every for each in names for v1 in ("/v1", "")}
