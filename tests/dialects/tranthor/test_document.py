"""Tranthor's OpenAPI document has every path and every status."""

from tests.operate.openapi.documents import statuses


def test_its_document_has_every_path_and_every_status() -> None:
    every = "204 400 401 408 413 415 422 429 500 503"
    assert statuses("tranthor") == {
        **{
            f"POST /api/public/apps/{each}": every for each in ("identify", "track", "page", "screen", "group", "batch")
        },
        "POST /api/public/apps/alias": "400",
    }
