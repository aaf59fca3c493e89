"""The page Keys and its JSON, on a store of each engine that all tests share: each test has a project of its own."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any

import asyncpg
import jsonschema
import pytest

from gateway.console.context import Console
from gateway.console.pages.keys_api import LIST, NEW, ONE
from gateway.dialect.timestamps import from_millis
from gateway.ingest.registry import discover
from tests.console.browser import Api, Browser

DIALECTS = [dialect.name for dialect in discover()]
HOSTILE = '"><img src=x onerror=alert(1)>{{7*7}}'


async def added(api: Api, project: str, **given: object) -> dict[str, Any]:
    """Add a key of Tranthor by the API; return the key with its value."""
    status, found = await api.send("POST", "/api/keys", {"project": project, "dialect": "tranthor", **given})
    assert status == 201, found
    jsonschema.validate(found, NEW)
    return {**found["key"], "value": found["value"]}


async def listed(api: Api, project: str, query: str = "") -> list[dict[str, Any]]:
    found = await api.get(f"/api/keys?project={project}{query}")
    jsonschema.validate(found, LIST)
    keys: list[dict[str, Any]] = found["keys"]
    return keys


async def opens(served: Console, dialect: str, kind: str, value: str) -> bool:
    """Whether a gateway would take the value now."""
    async with served.store.keys() as keys:
        grant = (await keys.load()).find(dialect, kind, value)
    return grant is not None and grant.is_good(served.clock())


async def test_a_key_is_added_by_the_api_and_listed_without_its_value(api: Api, served: Console) -> None:
    given = {"dialect": "databuddy", "label": "Till", "scopes": ["write:llm"], "origins": ["https://A.example/x"]}
    made = await added(api, "first", **given, expires="2099-01-02T03:04:05Z")
    value = made.pop("value")
    assert made == {
        "id": made["id"],
        "project": "first",
        "dialect": "databuddy",
        "kind": "api_key",
        "label": "Till",
        "masked": f"...{value[-4:]}",
        "scopes": ["write:llm"],
        "origins": ["a.example"],
        "status": "active",
        "rotated": False,
        "created_at": made["created_at"],
        "revoked_at": None,
        "expires_at": 4_071_006_245_000,
        "last_used_at": None,
        "created": from_millis(made["created_at"]),
        "revoked": None,
        "expires": "2099-01-02T03:04:05.000Z",
        "last_used": None,
        "requests_today": 0,
        "rejected_today": 0,
    }
    assert await listed(api, "first") == [made]
    assert await api.get(f"/api/keys/{made['id']}") == {"key": made}
    assert await opens(served, "databuddy", "api_key", value)


async def test_uses_are_shown(api: Api, served: Console, console: Browser) -> None:
    made = await added(api, "used")
    uses, now = served.store.use_log(), served.clock()
    async with uses.running():
        for rejected in (False, True, False):
            uses.add("used", made["id"], now, rejected)
    [key] = await listed(api, "used")
    assert (key["last_used"], key["requests_today"], key["rejected_today"]) == (from_millis(now), 3, 1)
    text = await console.page("/keys?project=used")
    assert f'<time datetime="{from_millis(now)}">' in text
    assert "3 <small>(1 rejected)</small>" in text


async def test_a_key_is_changed_rotated_and_revoked_by_the_api(api: Api, served: Console) -> None:
    old = await added(api, "changed", dialect="databuddy", label="Old", origins=["a.example"])
    status, found = await api.send("PATCH", f"/api/keys/{old['id']}", {"label": "New", "origins": [], "expires": "90d"})
    jsonschema.validate(found, ONE)
    key = found["key"]
    assert (status, key["label"], key["origins"], key["scopes"]) == (200, "New", [], old["scopes"])
    assert 0 <= served.clock() + 90 * 86_400_000 - key["expires_at"] < 60_000
    status, rotated = await api.send("POST", f"/api/keys/{old['id']}/rotate", {"grace_seconds": 60})
    jsonschema.validate(rotated, NEW)
    assert (status, rotated["key"]["label"], rotated["key"]["status"]) == (201, "New", "active")
    assert [key["status"] for key in await listed(api, "changed")] == ["active", "expiring"]
    assert [await opens(served, "databuddy", "api_key", each) for each in (old["value"], rotated["value"])] == [
        True
    ] * 2
    status, revoked = await api.send("POST", f"/api/keys/{old['id']}/revoke")
    assert (status, revoked["key"]["status"]) == (200, "revoked")
    assert not await opens(served, "databuddy", "api_key", old["value"])
    assert await api.send("PATCH", f"/api/keys/{old['id']}", {"expires": "never"}) == (
        400,
        {"error": f"{old['id']} is revoked; only its label can be changed"},
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "problem"),
    [
        ("POST", "", {}, 400, f"dialect must be one of {', '.join(DIALECTS)}"),
        ("POST", "", {"dialect": "tranthr"}, 400, f"dialect must be one of {', '.join(DIALECTS)}"),
        ("POST", "", {"dialect": "tranthor", "kind": "x"}, 400, "kind must be one of write_key"),
        ("POST", "", {"dialect": "tranthor", "orgins": []}, 400, None),
        ("POST", "", {"dialect": "tranthor", "origins": "a"}, 400, "origins must be a list of at most 200 texts"),
        (
            "POST",
            "",
            {"dialect": "tranthor", "origins": ["a"] * 201},
            400,
            "origins must be a list of at most 200 texts",
        ),
        ("POST", "", {"dialect": "tranthor", "label": 5}, 400, "label must be a text"),
        ("POST", "", {"dialect": "tranthor", "project": "a b"}, 400, None),
        (
            "POST",
            "",
            {"dialect": "tranthor", "label": "\u202e"},
            400,
            "character 1 of the label cannot be seen (U+202E)",
        ),
        ("POST", "", {"dialect": "tranthor", "expires": "soon"}, 400, None),
        ("POST", "", {"dialect": "tranthor", "expires": "2001-01-01T00:00:00Z"}, 400, None),
        ("POST", "", ["no object"], 400, "the body must be a JSON object"),
        ("GET", "/key_x", None, 404, "there is no such key"),
        ("GET", "/%00", None, 404, "there is no such key"),
        ("PATCH", "/key_x", {"label": "x"}, 404, "there is no such key"),
        ("POST", "/key_x/rotate", None, 404, "there is no such key"),
        ("POST", "/key_x/rotate", {"grace_seconds": -1}, 400, "grace_seconds must be an integer from 0 to 31622400"),
        ("POST", "/key_x/revoke", None, 404, "there is no such key"),
        ("GET", "?status=gone", None, 400, None),
        ("GET", "?before=key_x", None, 400, "before is no key"),
    ],
)
async def test_what_is_wrong_is_told_in_one_line(
    method: str, path: str, body: object, status: int, problem: str | None, api: Api
) -> None:
    found = await api.send(method, f"/api/keys{path}", body)
    assert (found[0], list(found[1])) == (status, ["error"])
    assert "\n" not in found[1]["error"]
    assert problem in (None, found[1]["error"])


async def test_keys_are_listed_the_newest_first_in_pages(
    api: Api, console: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.console.pages.keys_api.PAGE", 2)
    ids = [(await added(api, "paged"))["id"] for _ in range(5)][::-1]
    pages: list[list[str]] = []
    query = "?project=paged"
    while True:
        found = await api.get(f"/api/keys{query}")
        pages.append([key["id"] for key in found["keys"]])
        if found["older"] is None:
            break
        query = f"?project=paged&before={found['older']}"
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    text = await console.page("/keys?project=paged")
    [older] = re.findall(r'rel="next" href="([^"]+)"', text)
    assert ids[2] in await console.page(unescape(older))
    assert [key["id"] for key in await listed(api, "paged", "&status=active")] == ids[:2]
    assert await listed(api, "paged", "&status=revoked") == []


def value_of(text: str) -> str:
    """The value that a page shows once."""
    found = re.search(r"<pre[^>]*>([^<]+)</pre>", text)
    assert found is not None
    return unescape(found[1])


async def test_a_key_is_added_by_the_form_and_its_value_is_on_that_page_alone(
    console: Browser, api: Api, served: Console
) -> None:
    form = await console.page("/keys/new?dialect=databuddy")
    assert [name in form for name in ("api_key (secret)", "website (public", 'value="write:llm"')] == [True] * 3
    fields = {"dialect": "databuddy", "project": "form", "kind": "api_key", "scope": "write:llm", "label": "Till"}
    answer = await console.post("/keys", {**fields, "value": "", "origins": "a.example, b.example", "expires": "1d"})
    value = value_of(answer.text)
    assert (answer.status, answer.location, answer.headers["Cache-Control"]) == (200, None, "no-store")
    assert f'apiKey: "{value}"' in unescape(answer.text)
    [key] = await listed(api, "form")
    assert (key["label"], key["origins"], key["scopes"]) == ("Till", ["a.example", "b.example"], ["write:llm"])
    assert await opens(served, "databuddy", "api_key", value)
    for path in ("/keys?project=form", f"/keys/{key['id']}"):
        text = await console.page(path)
        assert (value in text, f"...{value[-4:]}" in text) == (False, True)


async def test_a_form_with_a_mistake_is_shown_again_without_the_secret(console: Browser, api: Api) -> None:
    fields = {"dialect": "databuddy", "project": "mistake", "kind": "api_key", "value": "dbdy_secret_0123456789"}
    answer = await console.post("/keys", {**fields, "label": "Till", "origins": "a.example null"})
    assert answer.status == 400
    assert "invalid origin: &#39;null&#39; is the Origin of pages" in answer.text
    assert ('value="Till"' in answer.text, "dbdy_secret" in answer.text) == (True, False)
    assert await listed(api, "mistake") == []
    assert (await console.get("/keys/new?dialect=nobody")).status == 404


async def test_a_key_is_changed_by_the_form(console: Browser, api: Api) -> None:
    made = await added(api, "edited", dialect="databuddy", label="Old", origins=["a.example"], expires="1d")
    path = f"/keys/{made['id']}"
    text = await console.page(path)
    unchanged = fields_of(text)
    await console.change(path, {**unchanged, "label": "New"})
    [key] = await listed(api, "edited")
    assert {**made, "label": "New"} == {**key, "value": made["value"]}
    assert "is changed." in await console.change(
        path, {**unchanged, "origins": "", "expires": "", "has_scopes": "1", "scope": "write:llm"}
    )
    [key] = await listed(api, "edited")
    assert (key["label"], key["origins"], key["expires"], key["scopes"]) == ("Old", [], None, ["write:llm"])
    bad = await console.post(path, {**unchanged, "expires": "soon"})
    assert (bad.status, "expires is no time" in bad.text) == (400, True)


def fields_of(text: str) -> Mapping[str, str]:
    """The fields of the form that changes a key, with all scopes in the last one that has any."""
    [form] = re.findall(r'<form method="post" action="/keys/key_\w+" class="panel".*?</form>', text, re.S)
    found = {
        name: unescape(value)
        for name, value in re.findall(r'name="(label|origins|expires|has_scopes)"[^>]*? value="([^"]*)"', form)
    }
    assert set(found) == {"label", "origins", "expires", "has_scopes"}
    del found["has_scopes"]  # a mapping holds one scope only: the test names it where it wants a change
    return found


async def test_a_key_is_rotated_and_revoked_by_forms(console: Browser, api: Api, served: Console) -> None:
    made = await added(api, "ended")
    answer = await console.post(f"/keys/{made['id']}/rotate", {"grace": "3600"})
    value = value_of(answer.text)
    new, old = await listed(api, "ended")
    assert (old["status"], new["status"], await opens(served, "tranthor", "write_key", value)) == (
        "expiring",
        "active",
        True,
    )
    again = await console.post(f"/keys/{made['id']}/rotate", {"grace": "3600"})
    assert (again.status, "only an active credential can be rotated" in again.text) == (400, True)
    assert f"Key {new['id']} is revoked." in await console.change(f"/keys/{new['id']}/revoke")
    assert not await opens(served, "tranthor", "write_key", value)
    text = await console.page(f"/keys/{new['id']}")
    assert ("Rotate it" in text, "Revoke it" in text, 'name="origins"' in text) == (False, False, False)
    await console.change(f"/keys/{new['id']}", {"label": "Gone"})
    assert [key["label"] for key in await listed(api, "ended")] == ["Gone", ""]


async def test_a_change_without_its_token_is_refused(console: Browser, api: Api) -> None:
    made = await added(api, "guarded")
    for path in ("/keys", f"/keys/{made['id']}", f"/keys/{made['id']}/rotate", f"/keys/{made['id']}/revoke"):
        answer = await console.post(path, {"csrf": "wrong", "dialect": "tranthor", "project": "guarded"})
        assert answer.status == 403
    assert [key["status"] for key in await listed(api, "guarded")] == ["active"]


async def test_whatever_a_key_says_is_shown_as_text(console: Browser, api: Api, module_url: str) -> None:
    made = await added(api, "hostile", label=HOSTILE)
    await spoil(module_url, made["id"])
    for path in ("/keys?project=hostile", f"/keys/{made['id']}"):
        text = await console.page(path)
        assert ("<img" in text, "\u202e" in text, "{{7*7}}" in text) == (False, False, True)
        assert text.count("&lt;img src=x") >= 2
    assert "<img" not in await console.page(f"/keys?{'project=' + 'x' * 100}")


async def spoil(url: str, key_id: str) -> None:
    """Put an origin into the store that no version would have let in."""
    origin = HOSTILE + "\u202e"
    if not url.startswith("sqlite:"):
        database = await asyncpg.connect(url)
        await database.execute("UPDATE gateway.credentials SET origins = $1 WHERE id = $2", [origin], key_id)
        await database.close()
        return
    with closing(sqlite3.connect(Path(url.removeprefix("sqlite:")) / "keys.db")) as file, file:
        file.execute("UPDATE credentials SET origins = ? WHERE id = ?", (json.dumps([origin]), key_id))
