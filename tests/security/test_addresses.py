"""What is kept of a client's address where a project wants less of it: nowhere more than its policy leaves."""

import asyncio
import json
import time
from pathlib import Path

from tests.faults.lives import watched
from tests.faults.wire import ask, request
from tests.kit.serving import Served, add_key
from tests.security.canaries import texts_of

ADDRESS, NETWORK = "203.0.113.9", "203.0.113.0"
BEHIND = '[server]\ntrusted_proxies = ["127.0.0.1"]\n'
KEY = "ak_addresses0123456789"
PATIENCE = 20.0


def refused(served: Served, count: int) -> list[dict[str, object]]:
    """Return what the ring shows once so many are in it: each project, address and forwarding header."""
    deadline = time.monotonic() + PATIENCE
    while len(lines := served.cli("quarantine", "list", "--rejected").splitlines()) < count:
        assert time.monotonic() < deadline
    numbers = [str(json.loads(line)["id"]) for line in lines]
    return [json.loads(served.cli("quarantine", "show", "--rejected", number)) for number in numbers]


def kept(folder: Path, policies: str) -> dict[object, tuple[object, bool]]:
    """Return, by project, what is kept of the address of a refused request, and whether it stands anywhere at all."""
    config, data = folder / "gateway.toml", folder / "data"
    config.write_text(BEHIND + policies)
    add_key(data, "appizer", "api_key", KEY)
    forwarded = {"X-Forwarded-For": ADDRESS, "X-Real-IP": ADDRESS}
    with watched(data, "--config", str(config)) as served:
        for key in (KEY, "ak_of_a_stranger"):
            raw = request("/v1/events", {"event_name": 1}, {"Authorization": f"Bearer {key}", **forwarded})
            assert 400 <= asyncio.run(ask(served.url, raw)).status < 500
        rows = refused(served, 2)
        assert served.stop() == 0
    found = {}
    for row in rows:
        whole = row["request"]
        assert isinstance(whole, dict)
        found[row["project"]] = (whole["client_ip"], ADDRESS in json.dumps(whole))
    anywhere = any(ADDRESS.encode() in text for _, text in texts_of(data))
    assert anywhere == any(shown for _, shown in found.values())
    return found


def test_a_strangers_address_is_kept_as_sent_where_every_project_keeps_it_so(tmp_path: Path) -> None:
    policies = '[projects.shop]\nclient_ip = "as_sent"\n'
    assert kept(tmp_path, policies) == {"shop": (ADDRESS, True), None: (ADDRESS, True)}


def test_of_a_strangers_address_as_much_is_kept_as_the_strictest_project_keeps(tmp_path: Path) -> None:
    shop = '[projects.shop]\nclient_ip = "truncated"\n'
    (tmp_path / "one").mkdir()
    assert kept(tmp_path / "one", shop) == {"shop": (NETWORK, False), None: (NETWORK, False)}
    (tmp_path / "two").mkdir()
    blog = '[projects.blog]\nclient_ip = "nothing"\n'
    assert kept(tmp_path / "two", shop + blog) == {"shop": (NETWORK, False), None: (None, False)}
