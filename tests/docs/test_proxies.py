"""examples/nginx.conf and examples/Caddyfile: real proxies with TLS before a real gateway."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import attrs
import pytest
from yarl import URL

from tests.docs.expectations import PATIENCE, expected_event, make_key, program
from tests.docs.proxies import caddy_with_tls, certify, free_port, nginx_with_tls
from tests.kit.serving import Served, serving

TRUSTING = '[server]\ntrusted_proxies = ["127.0.0.1"]\n'
PROXIES = {"nginx": nginx_with_tls, "caddy": caddy_with_tls}


@attrs.frozen
class Proxied:
    """A gateway behind TLS: its https URL, the certificate to trust, the gateway itself, a Databuddy key."""

    url: str
    authority: Path
    tls: ssl.SSLContext
    served: Served
    key: str

    def client(self) -> aiohttp.ClientSession:
        """Return a client whose address is not the proxy's."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.tls, local_addr=("127.0.0.2", 0)),
            timeout=aiohttp.ClientTimeout(PATIENCE),
        )


@pytest.fixture(scope="module", params=PROXIES)
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    program(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    certify(folder)
    settings = folder / "gateway.toml"
    settings.write_text(TRUSTING)
    key = make_key(folder / "data", "databuddy", "api_key")
    port = free_port()
    with serving(folder / "data", "--config", str(settings)) as served:
        with PROXIES[request.param](folder, port, served.url.removeprefix("http://")):
            tls = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
            yield Proxied(f"https://localhost:{port}", folder / "fullchain.pem", tls, served, key)
        assert served.stop() == 0


async def test_an_event_over_https_is_stored_with_the_address_that_the_proxy_saw(proxied: Proxied) -> None:
    headers = {"Authorization": f"Bearer {proxied.key}", "X-Forwarded-For": "203.0.113.9", "User-Agent": "test"}
    headers["Origin"] = "https://shop.example"  # a server's request has neither address nor agent stored
    async with (
        proxied.client() as client,
        client.post(f"{proxied.url}//track/", json={"name": "hello"}, headers=headers) as answer,
    ):
        kept = {"status": "success", "type": "custom_event", "count": 1}
        assert (answer.status, await answer.json()) == (200, kept)
    [event] = proxied.served.events()
    context = {"user_agent": "test", "ip": "127.0.0.2"}
    assert event == expected_event(
        event, project="default", dialect="databuddy", type="track", name="hello", context=context
    )


def test_what_is_too_large_is_refused_in_the_vendors_format_with_cors(proxied: Proxied, tmp_path: Path) -> None:
    # By curl: it ends with a body that nobody takes, where a client in this process would keep its connection.
    (tmp_path / "body").write_bytes(b" " * 8_000_000)
    done = subprocess.run(
        [
            *(program("curl"), "--silent", "--show-error", "--include", "--http1.1", "--header", "Expect:"),
            *("--cacert", str(proxied.authority), "--header", "Origin: https://shop.example"),
            *("--data-binary", f"@{tmp_path / 'body'}", f"{proxied.url}/api/v1/track"),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    head, _, body = done.stdout.partition("\n\n")
    assert (head.split()[1], json.loads(body)["status"]) == ("413", "failure"), done
    assert "access-control-allow-origin: https://shop.example" in head.lower().splitlines()


async def test_of_the_gateways_own_paths_the_public_gets_the_script_alone(proxied: Proxied) -> None:
    private = ("/-/metrics", "//-/metrics", "/-/metrics/", "/-/ready", "/-/healthy", "/-/receipts/1", "/-/", "/-/shim")
    escaped = ("/%2D/metrics", "/-/shim/../metrics", "/-/shim/%2e%2e/metrics", "/x/../-/metrics", "/-//metrics")
    statuses = {}
    async with proxied.client() as client:
        for path in ("/-/shim/browsee.js", *private, *escaped):
            async with client.get(URL(f"{proxied.url}{path}", encoded=True)) as answer:
                statuses[path] = answer.status
        async with client.get(f"{proxied.served.url}/-/metrics") as answer:
            statuses["inside"] = answer.status
    assert statuses == {"/-/shim/browsee.js": 200, **dict.fromkeys((*private, *escaped), 404), "inside": 200}
