from html.parser import HTMLParser
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.console.pages.openapi import OPERATIONS
from gateway.ingest.registry import discover
from tests.console.browser import Api, Browser

NAMES = [dialect.name for dialect in discover()]


class Text(HTMLParser):
    """The words of a page, and the ids and links in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.words: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self.ids += [str(facts["id"])] if "id" in facts else []
        self.links += [str(facts["href"])] if tag == "a" else []

    def handle_data(self, data: str) -> None:
        self.text += data
        self.words += data.split()

    def __str__(self) -> str:
        return " ".join(self.text.split())


def schema_of(path: str) -> Any:
    operation: Any = OPERATIONS[path]
    return operation["get"]["responses"]["200"]["content"]["application/json"]["schema"]


async def test_the_list_names_each_dialect_and_links_to_its_page_and_its_document(console: Browser) -> None:
    links = Text(await console.page("/openapi")).links
    assert [link for link in links if "openapi/" in link] == [
        link for name in NAMES for link in (f"/openapi/{name}", f"/api/openapi/{name}")
    ]


async def test_the_json_is_what_its_schema_says(api: Api) -> None:
    listed = await api.get("/api/openapi")
    Draft202012Validator(schema_of("/api/openapi")).validate(listed)
    assert listed["dialects"][0] == {
        "name": "appizer",
        "title": "Appizer",
        "endpoints": 6,
        "document": "/api/openapi/appizer",
    }
    for each in listed["dialects"]:
        found = await api.get(each["document"])
        Draft202012Validator(schema_of("/api/openapi/{dialect}")).validate(found)
        assert found["servers"][0]["url"] == listed["url"]


@pytest.mark.parametrize("name", NAMES)
async def test_the_page_of_a_dialect_shows_every_endpoint_and_links_within_itself(
    name: str, console: Browser, api: Api
) -> None:
    document = await api.get(f"/api/openapi/{name}")
    page = Text(await console.page(f"/openapi/{name}"))
    for path, item in document["paths"].items():
        assert path in page.words
        for operation in item.values():
            if isinstance(operation, dict) and "summary" in operation:
                assert operation["summary"].replace("`", "") in str(page)
    anchors = [link[1:] for link in page.links if link.startswith("#") and link != "#content"]
    assert [anchor for anchor in anchors if anchor not in page.ids] == []
    assert len(page.ids) == len(set(page.ids))


async def test_the_page_says_what_a_field_may_be(console: Browser) -> None:
    page = str(Text(await console.page("/openapi/appizer")))
    for row in (
        "events required array, 1 to 100 elements",
        "events[].event_name required string",
        "header Authorization: Bearer …: A secret of the kind api_key. It needs the scope write.",
        "/events/batch under /appizer only",
    ):
        assert row in page


async def test_an_unknown_dialect_is_told_with_the_nearest_name(console: Browser, api: Api) -> None:
    answer = await console.get("/openapi/tranthr")
    assert (answer.status, "did you mean tranthor?" in answer.text) == (404, True)
    answer = await console.get("/openapi/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert (answer.status, "<script>alert" in answer.text) == (404, False)
    answer = await console.get("/api/openapi/nothing")
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (404, "application/json")
