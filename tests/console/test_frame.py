import re
from html.parser import HTMLParser

from jsonschema import Draft202012Validator

from gateway.console.page import NAVIGATION
from tests.console.browser import Api, Browser


class Landmarks(HTMLParser):
    """What every page has: its title, its heading, its links of the navigation, its forms' hidden fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings = 0
        self.current: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self.headings += tag == "h1"
        if "aria-current" in facts and tag == "a" and "/" in str(facts["href"])[:1]:
            self.current.append(str(facts["href"]))
        self.inline += [name for name in facts if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in facts) else []


async def test_every_page_of_the_navigation_has_a_heading_says_where_one_is_and_has_nothing_inline(
    console: Browser,
) -> None:
    for path, _title in NAVIGATION:
        found = Landmarks(await console.page(path))
        assert (path, found.headings, path in found.current, found.inline) == (path, 1, True, [])


async def test_every_page_has_its_json(api: Api) -> None:
    for path, _title in NAVIGATION:
        assert isinstance(await api.get(f"/api{path}"), dict)


def of_routes(console: Browser) -> set[tuple[str, str]]:
    """The operations that are answered below /api/, as OpenAPI spells them."""
    router = console.client.app.router
    found = {
        (route.method.lower(), re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.resource.canonical))
        for route in router.routes()
        if route.resource is not None
    }
    return {(method, path) for method, path in found if path.startswith("/api/") and method != "head"}


async def test_the_apis_document_has_exactly_what_is_answered(console: Browser, api: Api) -> None:
    document = await api.get("/api/openapi.json")
    documented = {
        (method, path) for path, item in document["paths"].items() for method in item if method != "parameters"
    }
    assert documented == of_routes(console) - {("get", "/api/openapi.json")}
    assert document["security"] == [{"adminToken": []}, {"session": []}]


async def test_every_operation_says_what_it_does_what_it_takes_and_what_it_answers(api: Api) -> None:
    document = await api.get("/api/openapi.json")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert operation["summary"].endswith("."), (method, path)
            named = {each["name"] for each in [*item.get("parameters", ()), *operation.get("parameters", ())]}
            assert set(re.findall(r"\{(\w+)\}", path)) <= named, (method, path)
            for status, answer in operation["responses"].items():
                for content in answer.get("content", {}).values():
                    Draft202012Validator.check_schema(content.get("schema", True))  # a stream has none
                assert "$ref" in answer or answer["description"].endswith("."), (method, path, status)
