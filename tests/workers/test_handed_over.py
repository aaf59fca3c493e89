"""Sockets that systemd hands over: a restart refuses nobody. Clients send all the time, and each try counts."""

import asyncio
import socket
from collections import Counter
from pathlib import Path

from tests.faults.figures import Figure
from tests.kit.handing_over import Sender, holding
from tests.kit.serving import add_key, run
from tests.workers.crowd import KEY

PATH = "/api/public/apps/track"
HEADERS = f"Authorization: Basic {KEY}\r\n"


def tcp() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def event(name: str) -> dict[str, object]:
    return {"messageId": name, "userId": "u", "event": "e"}


async def test_restarts_on_a_socket_that_somebody_holds_refuse_nobody(tmp_path: Path, figure: Figure) -> None:
    """From one process to several and back, under clients of all kinds."""
    data, listener = tmp_path / "data", tcp()
    add_key(data, "tranthor", "write_key", KEY)
    sender = Sender(listener.getsockname(), PATH, HEADERS, event)
    kinds = (sender.fresh("a"), sender.fresh("b"), sender.fresh("slow", hesitating=0.05), sender.kept("kept"))
    async with holding(listener, tmp_path / "log", "--data", str(data), "--port", "1") as holder:
        assert await holder.start() == f"http://127.0.0.1:{sender.address[1]}"
        clients = [asyncio.create_task(each) for each in kinds]
        try:
            for workers in ("2", "1"):
                before = sender.sent
                while sender.sent < before + 100:  # noqa: ASYNC110 (they do it by themselves)
                    await asyncio.sleep(0.01)
                assert await holder.stop() == 0
                await holder.start("--workers", workers)
        finally:
            sender.going_on = False
            await asyncio.gather(*clients)
        assert await holder.stop() == 0
    assert sender.answers == Counter({204: sender.sent})
    assert sender.reopened >= 2  # once more where another process that stops has accepted the new connection
    assert run("events", "count", "--data", str(data)).stdout == f"{sender.sent}\n"
    log = (tmp_path / "log").read_text().splitlines()
    assert [line for line in log if "WARNING" in line or "ERROR" in line] == []
    figure(f"{sender.sent:,} requests, 0 refused; the longest took {sender.lengthiest:.2f} s")
