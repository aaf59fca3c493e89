"""Databuddy's OpenAPI document has every path and every status."""

from tests.operate.openapi.documents import statuses


def test_its_document_has_every_path_and_every_status() -> None:
    every = "200 400 403 408 413 415 422 429 500 503"
    names = ("batch", "", "outgoing", "vitals", "errors", "events", "engagement")
    assert statuses("databuddy") == {
        "POST /track": "200 400 401 403 404 408 413 415 422 429 500 503",
        **{f"POST /{each}": every for each in names},
        "POST /identify": "200 400 403 404 408 413 415 422 429 500 503",
        "POST /llm": "200 400 401 403 408 413 415 422 429 500 503",
        "GET /px.jpg": "200 429 500 503",
        "GET /health": "200",
    }
