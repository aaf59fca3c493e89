"""The worst requests to Databuddy alone: its AI calls, its pixel, and the field that names a person."""

from collections.abc import Callable, Mapping

from tests.faults.traffic import Keys
from tests.kit.bounds import MIB, Hostile
from tests.security.hostile import beside_objects, of_objects, of_text
from tests.security.hostile_http import HEAD, MANY_PARAMETERS, head
from tests.security.pieces import MOST_ITEMS, SPARE, Made, fill, numbered, post

CAP = 2 * MIB


def _shown(keys: Keys) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys['databuddy']}"}


def _pixel(query: str) -> Made:
    return head(f"/px.jpg?{query}", method="GET", body=None)


def _anonymous_id(value: Callable[[int], bytes]) -> Made:
    body = b'{"name":"seen","anonymousId":%s}' % value(CAP - SPARE)
    return lambda keys: post("/track", _shown(keys), body, 1)


def _unknown_types(keys: Keys) -> Hostile:
    items, count = numbered(lambda at: b'{"type":"t%d"}' % at, CAP)
    return post("/track", _shown(keys), b"[%s]" % items, count)


HOSTILE: Mapping[str, Made] = {
    "half an emoji in each of many AI calls": lambda keys: post(
        "/llm", _shown(keys), b"[%s]" % fill(b'{"traceId":"\\ud800","x":[{"a":"b"}]}', 36 * 19_000), 19_000
    ),
    "an AI call of many values": lambda keys: post(
        "/llm", _shown(keys), b"[%s]" % fill(b'{"traceId":1}', CAP - SPARE), MOST_ITEMS
    ),
    "items of unknown types": _unknown_types,
    "an anonymous id that is a list of objects": _anonymous_id(of_objects),
    "an anonymous id of all the body": _anonymous_id(of_text),
    "an anonymous id that is no text, and small objects": _anonymous_id(beside_objects),
}
HEADS: Mapping[str, Made] = {
    "pixel, 20,000 parameters": _pixel(MANY_PARAMETERS),
    "pixel, brackets": _pixel("a" + "[b]" * (HEAD // 3) + "=1"),
    "pixel, paths of brackets": _pixel("&".join(f"a{'[b]' * 100}[{at}]=1" for at in range(HEAD // 320))),
    "pixel, brackets in its JSON": _pixel("properties=" + "[" * HEAD),
    "pixel, a long number": _pixel("properties=[" + "1" * (HEAD - 2) + "]"),
    "pixel, digits": _pixel("a=" + "1" * HEAD),
    "pixel, texts of JSON": _pixel("&".join(f"a{at}=%7B%7D" for at in range(HEAD // 14))),
}
