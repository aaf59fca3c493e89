"""Says what of a case cannot be sent as it is written: what would end a line of HTTP, and half an emoji. Pure."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

Wrong = tuple[str, str, str]
"""A place in the file, what is wrong there, and what to do."""

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[!-~]+")
_VALUE = re.compile(r"[^\x00\r\n\ud800-\udc7f\udd00-\udfff]*")
_HALF = re.compile(r"[\ud800-\udfff]")
_ESCAPE = "write a path as it is sent: a blank is %20, and whatever else is no printable ASCII is escaped, too"
_LINE = "write a value that fits into one line, without half an emoji, a zero byte or an end of a line"
_BYTES = "write a body with half an emoji as `json`, which sends its escape, or as `base64`"


def unsendable(case: Mapping[str, Any]) -> Iterator[Wrong]:
    """Yield what is wrong with the requests of a case, and what of its answers no server can send."""
    yield from _of_headers("/headers", case.get("headers", {}))
    for number, step in enumerate(case["steps"]):
        for name in ("request", "answer"):
            message, place = step.get(name, {}), f"/steps/{number}/{name}"
            yield from _of_headers(f"{place}/headers", message.get("headers", {}))
            yield from _of_body(place, message)
        yield from _of_first_line(f"/steps/{number}/request", step["request"])


def _of_first_line(place: str, request: Mapping[str, Any]) -> Iterator[Wrong]:
    method, path = request.get("method", "POST"), request["path"]
    if not _METHOD.fullmatch(method):
        yield f"{place}/method", f"{method!r} is no method of HTTP", "write one as it is sent: GET"
    if not _TARGET.fullmatch(path):
        yield f"{place}/path", f"{path!r} cannot stand in the first line of a request", _ESCAPE


def _of_headers(place: str, headers: Mapping[str, str | None]) -> Iterator[Wrong]:
    for name, value in headers.items():
        if not _METHOD.fullmatch(name):
            yield place, f"{name!r} is no name of a header", "write one as it is sent: X-Api-Key"
        elif not _VALUE.fullmatch(value or ""):
            yield f"{place}/{name}", f"{value!r} cannot stand in a header", _LINE


def _of_body(place: str, message: Mapping[str, Any]) -> Iterator[Wrong]:
    parts = message.get("repeat", {})
    texts = {"text": message.get("text", ""), **{f"repeat/{each}": parts[each] for each in parts if each != "times"}}
    for name, text in texts.items():
        if _HALF.search(text):
            yield f"{place}/{name}", "it has half an emoji, which is no text in UTF-8", _BYTES
    if "base64" in message:
        try:
            base64.b64decode(message["base64"], validate=True)
        except (binascii.Error, ValueError) as error:
            yield f"{place}/base64", str(error), "write the body's bytes in base64"
