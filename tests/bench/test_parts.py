"""Samples are counted for the part of the gateway that they fall into."""

from tests.bench.parts import by_part


def test_a_stack_belongs_to_its_innermost_known_frame() -> None:
    stacks = [
        (["run (asyncio/runners.py)", "data_received (aiohttp/web_protocol.py)"], 5),
        (["run (asyncio/runners.py)", "Pipeline.ingest (gateway/ingest/pipeline.py)"], 4),
        (["Pipeline.ingest (gateway/ingest/pipeline.py)", "decode (gateway/dialect/decode.py)"], 3),
        (["ingest (gateway/ingest/pipeline.py)", "message (dialects/tranthor/translate.py)", "isinstance (abc.py)"], 2),
        (["commit (gateway/storage/sqlite/log_writer.py)", "decide (gateway/storage/decide.py)"], 1),
        (["bootstrap (threading.py)"], 1),
    ]
    assert by_part(stacks) == {
        "HTTP": 5,
        "admission and items": 4,
        "decode": 3,
        "translate": 2,
        "dedupe": 1,
        "other": 1,
    }
