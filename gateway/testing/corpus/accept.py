"""Writes into cases what a dialect does now: `--accept`. The requests stay as they are, and so does all else."""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.testing.bugs import all_told
from gateway.testing.corpus.acceptable import check_acceptable
from gateway.testing.corpus.case import Case
from gateway.testing.corpus.defaults import short_event, short_item
from gateway.testing.corpus.message import Answer
from gateway.testing.corpus.reading import read_case
from gateway.testing.corpus.text import case_text
from gateway.testing.corpus.writing import replace
from gateway.testing.subject import Subject
from gateway.testing.ways.outcome import Outcome, answer_differences

BODY = ("json", "text", "base64", "repeat")


def accept(subject: Subject, cases: Iterable[Case]) -> list[Path]:
    """Rewrite what cases expect to what comes of them without IO; return the files that have changed.

    The cases of `subject` are as they were read before. Raises Failure on a case that no case may be like: one that is
    answered with 500, or whose events hold a secret or are none. Then no file is changed.
    """
    texts: dict[Path, str] = {}
    for case in cases:
        with all_told(f"{case.file}: it cannot be sent"):
            sent = subject.in_memory.send(case)
        check_acceptable(subject, case, sent)
        text = case_text(accepted(read_case(case.file), case.dialect, sent.outcome))
        if text != case.file.read_text("utf-8"):
            texts[case.file] = text
    replace(subject.corpus.folder, texts)
    return list(texts)


def accepted(written: Mapping[str, Any], dialect: str, outcome: Outcome) -> dict[str, Any]:
    """Return a case, as its file has it, with the outcome as what it expects, in its shortest form."""
    stored = {
        "events": [short_event(event, dialect) for event in outcome.events],
        "quarantined": [short_item(item) for item in outcome.quarantined],
    }
    steps = [
        {**step, "answer": _answer(step.get("answer"), answer)}
        for step, answer in zip(written["steps"], outcome.answers, strict=True)
    ]
    case: dict[str, Any] = {}
    for name, value in written.items():
        if name == "steps":
            case |= {"steps": steps, **{each: found for each, found in stored.items() if found}}
        elif name not in stored:
            case[name] = value
    return case


def _answer(expected: Mapping[str, Any] | None, answer: Answer) -> dict[str, Any]:
    if expected is None:
        content_type = answer.header("Content-Type")
        headers = {} if content_type is None else {"Content-Type": content_type}
        return {"status": answer.status, **({"headers": headers} if headers else {}), **_body(answer.body, BODY)}
    if not answer_differences(expected, answer):
        return dict(expected)
    written = {name: value for name, value in expected.items() if name not in BODY}
    if "headers" in written:
        written["headers"] = {name: answer.header(name) for name in written["headers"]}
    return {**written, "status": answer.status, **_body(answer.body, [name for name in BODY if name in expected])}


def _body(body: bytes, forms: Iterable[str]) -> dict[str, Any]:
    """Return a body in one of the forms if it can be written so, else in the first that it can be written in."""
    possible = _forms(body)
    return next(({form: possible[form]} for form in (*forms, *possible) if form in possible), {})


def _forms(body: bytes) -> dict[str, Any]:
    """Return the forms in which a body can be written, the most readable first."""
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return {"text": text}
    return {"json": value, "text": text}


def _no_constant(name: str) -> Any:
    raise ValueError(name)
