"""`@databuddy/sdk/ai/vercel`, the helper that reports calls of language models; its `apiUrl` is a whole address."""

from typing import Any

import pytest

from tests.dialects.databuddy.sdk import DATABUDDY_KEY
from tests.kit.serving import Served
from tests.sdk.programs import Drive
from tests.sdk.stored import JUST_BEFORE, Kept, event

SDK, VERSION = "@databuddy/sdk/ai/vercel", "2.3.29"
CHANGING = {"traceId": str, "durationMs": int}
SEEN = {"generated": "Hello.", "streamed": "Hello.", "failed": "the model is away"}
AROUND = {"library": {"name": "node"}}
SAID = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
NO_TOOLS = {"toolCallCount": 0, "toolResultCount": 0, "toolCallNames": []}


def call(type_: str, **facts: object) -> dict[str, Any]:
    answered = {
        "finishReason": "stop",
        "output": [{"role": "assistant", "content": "Hello."}],
        "usage": {"inputTokens": 7, "outputTokens": 5, "totalTokens": 12, "webSearchCount": 0},
        "httpStatus": 200,
    }
    about = {"type": type_, "model": "a-model", "provider": "openai", "input": SAID, "cost": {}, "tools": NO_TOOLS}
    properties = {**about, **(facts or answered)}
    return event("databuddy", name="ai_call", timestamp=JUST_BEFORE, properties=properties, context=AROUND)


def _kind(stored: dict[str, Any]) -> tuple[str, bool]:
    return stored["properties"]["type"], "error" in stored["properties"]


@pytest.mark.proves(SDK, VERSION, "doGenerate(), doStream() and an error of the model")
def test_calls_of_a_model_are_stored_also_failed_ones(gateway: Served, stored: Kept, drive: Drive) -> None:
    options = {"apiUrl": f"{gateway.url}/llm", "apiKey": DATABUDDY_KEY}
    told = drive("databuddy_ai.mjs", {"version": VERSION, "options": options})
    assert told == {**SEEN, "problems": []}
    events = stored.take(3)
    for each in events:
        for name, type_ in CHANGING.items():
            assert type(each["properties"].pop(name)) is type_
    failure = next(each for each in events if "error" in each["properties"])
    assert failure["properties"]["error"].pop("stack").startswith("Error: the model is away\n    at ")
    usage = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
    failed = call("generate", output=[], usage=usage, error={"name": "Error", "message": "the model is away"})
    expected = [call("generate"), failed, call("stream")]
    assert sorted(events, key=_kind) == expected  # the helper sends without waiting: in any order


@pytest.mark.proves(SDK, VERSION, "a wrong apiKey")
def test_a_wrong_key_is_logged_and_disturbs_nobody(gateway: Served, stored: Kept, drive: Drive) -> None:
    options = {"apiUrl": f"{gateway.url}/llm", "apiKey": "dbdy_wrong"}
    told = drive("databuddy_ai.mjs", {"version": VERSION, "options": options})
    problems = told.pop("problems")
    assert told == SEEN
    assert len(problems) == 3
    assert all("Failed to send AI log: 401 Unauthorized" in problem for problem in problems)
    assert stored.take(0) == []
