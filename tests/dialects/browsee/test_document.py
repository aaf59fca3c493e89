"""Browsee's OpenAPI document has every path and every status."""

from tests.operate.openapi.documents import statuses


def test_its_document_has_every_path_and_every_status() -> None:
    assert statuses("browsee") == {
        f"POST /api/v1/{each}": "200 400 408 409 413 415 429 500 503" for each in ("track", "identify")
    }
