"""A stranger's dialect comes in by its entry point alone: no file of the gateway knows of it."""

from pathlib import Path

import aiohttp

from tests.kit.serving import serving

TOY = Path(__file__).parents[1] / "toy"


async def test_a_dialect_of_another_distribution_is_served_like_the_built_in_ones(tmp_path: Path) -> None:
    with serving(tmp_path / "data", env={"PYTHONPATH": str(TOY)}) as served:
        key = served.add_key("toy", "api_key", "--value", "toy_known")
        assert key == "toy_known"
        async with aiohttp.ClientSession() as session:
            sent = {"what": "hello", "who": "u-1"}
            async with session.post(f"{served.url}/toy-api/v0/ping", json=sent, headers={"x-toy-key": key}) as answer:
                assert answer.status == 201
                message_id = (await answer.json())["id"]
            async with session.post(f"{served.url}/toy-api/v0/ping", json=sent) as answer:
                assert (answer.status, await answer.json()) == (422, {"refused": "no_credential"})
            async with session.get(f"{served.url}/toy-api/elsewhere") as answer:
                assert (answer.status, await answer.json()) == (422, {"refused": "not_found"})
        [event] = served.events()
        assert {name: event[name] for name in ("dialect", "type", "name", "message_id", "user_id")} == {
            "dialect": "toy",
            "type": "track",
            "name": "hello",
            "message_id": message_id,
            "user_id": "u-1",
        }
        assert served.stop() == 0
