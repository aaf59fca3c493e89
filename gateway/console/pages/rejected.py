"""The page Rejected: groups of rejected requests and what to do about them, their requests, one whole; replay."""

import json
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import web

from gateway.config.errors import did_you_mean
from gateway.console.changes import appending
from gateway.console.held.operations import REJECTED
from gateway.console.held.shared import NUMBER, beginning, faults_of, given, link, number_in, time_of
from gateway.console.page import (
    bad_request,
    changed,
    console_of,
    form_of,
    int_param,
    json_answer,
    json_of,
    not_found,
    render,
    text_param,
    time_param,
)
from gateway.operate import projects
from gateway.operate.advice import Rejection, advice
from gateway.operate.held.rejected import RequestReplay, RequestReplayed
from gateway.operate.held.replay import Replay
from gateway.operate.held.shown import request as request_facts
from gateway.records.raw_request import RawRequest
from gateway.storage.held.groups import GROUPED_REJECTIONS, RejectedFilter
from gateway.storage.records import Records

OPERATIONS: Mapping[str, object] = REJECTED
FILTER = tuple(field.name for field in attrs.fields(RejectedFilter))
HEAD = (
    *("id", "project", "dialect", "route", "reason", "status", "method", "path", "client_ip", "credential_id"),
    *("origin", "request_id", "cut", "replayed"),
)


def _filter(request: web.Request) -> RejectedFilter:
    asked = {name: given(request, name) for name in ("project", "credential_id", "origin")}
    return RejectedFilter(reason=text_param(request, "reason"), dialect=text_param(request, "dialect"), **asked)


async def groups_facts(request: web.Request) -> dict[str, Any]:
    """Return what the page shows first, and what /api/rejected/groups answers."""
    project, since = text_param(request, "project"), time_param(request, "since")
    async with console_of(request).store.records() as records:
        found = await records.rejected_groups(since)
    groups = [
        {**attrs.asdict(each), "newest": time_of(each.newest), "advice": _advice(attrs.asdict(each), {})}
        for each in found
        if project in (None, each.project)
    ]
    return {"groups": groups}


def _advice(row: Mapping[str, Any], detail: Mapping[str, Any]) -> str:
    names = ("reason", "dialect", "project", "credential_id", "origin")
    return advice(Rejection(**{name: row[name] for name in names}, detail=detail))


async def facts(request: web.Request) -> dict[str, Any]:
    """Return a page of requests, which /api/rejected answers too."""
    where, before = _filter(request), int_param(request, "before")
    async with console_of(request).store.records() as records:
        page = await records.rejected_page(where, before)
    rows = [{**_head(row), "sentence": _sentence(row)} for row in page.rows]
    return {"requests": rows, "before": page.before}


def _head(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in HEAD}, "received_at": time_of(row["received_at"])}


def _sentence(row: Mapping[str, Any]) -> str | None:
    """Return the first fault that is none of the facts of the rejection, which the group tells already."""
    faults = faults_of(row)
    return next((fault["sentence"] for fault in faults if not _is_fact(fault)), None)


def _is_fact(fault: Mapping[str, Any]) -> bool:
    detail = fault.get("detail")
    return isinstance(detail, dict) and detail.keys() == {fault["code"]}


async def item_facts(request: web.Request) -> dict[str, Any]:
    """Return one request whole, as /api/rejected/ID answers it."""
    async with console_of(request).store.records() as records:
        known, raw = await _one(records, number_in(request))
    faults = faults_of(known)
    detail = {name: value for fault in faults if _is_fact(fault) for name, value in fault["detail"].items()}
    return {**_head(known), "faults": faults, "advice": _advice(known, detail), "request": request_facts(raw)}


async def _one(records: Records, number: int) -> tuple[dict[str, Any], RawRequest]:
    found = await records.rejected_request(number)
    if found is None:
        raise not_found(f"there is no rejected request {number}; the oldest make room for new ones")
    return found


async def page(request: web.Request) -> web.Response:
    """Answer with the groups."""
    found = await groups_facts(request)
    for group in found["groups"]:
        group["link"] = link("/rejected/items", {name: group[name] or "" for name in FILTER})
    total = sum(group["count"] for group in found["groups"])
    shown = {
        **found,
        "project": text_param(request, "project"),
        "total": total,
        "most": GROUPED_REJECTIONS if total >= GROUPED_REJECTIONS else None,
    }
    return await render(request, "rejected.html", shown)


async def items_page(request: web.Request) -> web.Response:
    """Answer with the requests of a group."""
    where, found = _filter(request), await facts(request)
    query = attrs.asdict(where)
    shown = {
        **found,
        "where": query,
        "advice": None
        if where.reason is None
        else _advice({**_nobodys(query), "dialect": where.dialect or "DIALECT"}, {}),
        "older": None if found["before"] is None else link("/rejected/items", {**query, "before": found["before"]}),
    }
    return await render(request, "rejected_items.html", shown)


def _nobodys(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value or None for name, value in query.items()}


async def item_page(request: web.Request) -> web.Response:
    """Answer with one request."""
    found = await item_facts(request)
    raw = found["request"]
    shown = {
        **found,
        "body": beginning(raw.get("body", raw.get("body_base64", ""))),
        "head": json.dumps({"query": raw["query"], "headers": raw["headers"]}, indent=2),
        "projects": sorted(await _projects(request)) if found["project"] is None else [],
    }
    return await render(request, "rejected_item.html", shown)


async def _projects(request: web.Request) -> set[str]:
    console = console_of(request)
    known = await projects.counted(console.store) | await projects.with_keys(console.store)
    return (known | set(console.config.projects)) - {""}


async def _replay(request: web.Request, project: str | None) -> RequestReplayed:
    """Replay a request, a stranger's into a project that there is."""
    console, number = console_of(request), number_in(request)
    async with console.store.records() as records, appending(console) as append:
        known, raw = await _one(records, number)
        if project is not None and project not in (names := await _projects(request)):
            raise bad_request(f"there is no project {project!r}; {did_you_mean(project, names)}")
        replayer = Replay(console.installed, console.config.keep_ip, console.config.asked)
        return await RequestReplay(records, append, console.installed, replayer).run(known, raw, project)


async def replay_form(request: web.Request) -> web.Response:
    """Replay a request."""
    number = number_in(request)
    done = await _replay(request, (await form_of(request)).get("project", "").strip() or None)
    failed = "; ".join(f"item {index}: {why}" for index, why in done.failed[:3])
    is_good = done.problem is None and not done.failed
    notice = f"Request {number}: {done.summary}{': ' if failed else ''}{failed}"
    return changed(request, f"/rejected/{number}", notice, "good" if is_good else "bad")


async def replay_api(request: web.Request) -> web.Response:
    """Replay a request."""
    body = await json_of(request)
    project = body.get("project")
    if body.keys() - {"project"} or not isinstance(project, str | None):
        raise bad_request("the body may have project, a text, and nothing else")
    done = await _replay(request, project)
    if done.problem is not None:
        raise web.HTTPConflict(text=done.problem)
    failed = [{"item": index, "why": why} for index, why in done.failed]
    return json_answer(
        {"stored": done.stored, "duplicate": done.duplicate, "failed": failed, "project": done.adopted_by}
    )


async def api(request: web.Request) -> web.Response:
    """Answer with a page of requests as JSON."""
    return json_answer(await facts(request))


async def groups_api(request: web.Request) -> web.Response:
    """Answer with the groups as JSON."""
    return json_answer(await groups_facts(request))


async def item_api(request: web.Request) -> web.Response:
    """Answer with one request as JSON."""
    return json_answer(await item_facts(request))


_ONE = f"/rejected/{NUMBER}"
ROUTES = [
    web.get("/rejected", page),
    web.get("/rejected/items", items_page),
    web.get(_ONE, item_page),
    web.post(f"{_ONE}/replay", replay_form),
    web.get("/api/rejected", api),
    web.get("/api/rejected/groups", groups_api),
    web.get(f"/api{_ONE}", item_api),
    web.post(f"/api{_ONE}/replay", replay_api),
]
