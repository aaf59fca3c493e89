import contextlib
import io
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp
import attrs
import pytest
from yarl import URL

from tests.docs.expectations import EXAMPLES, PATIENCE, expected_event, make_key, program
from tests.kit.serving import Served, serving

TEMPORARY = "".join(f"{each}_temp_path temporary;" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
TRUSTING = '[server]\ntrusted_proxies = ["127.0.0.1"]\n'


@attrs.frozen
class Proxied:
    """A gateway behind TLS: its https URL, the certificate to trust, the gateway itself, a Databuddy key."""

    url: str
    tls: ssl.SSLContext
    served: Served
    key: str

    def client(self) -> aiohttp.ClientSession:
        """Return a client whose address is not the proxy's."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.tls, local_addr=("127.0.0.2", 0)),
            timeout=aiohttp.ClientTimeout(PATIENCE),
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certify(folder: Path) -> None:
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "privkey.pem")
    command = [program("openssl"), "req", "-x509", "-days", "2", *subject, *key, "-out", "fullchain.pem"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=PATIENCE, check=True)


def configure(folder: Path, port: int, upstream: str) -> Path:
    """Write the example with the ports and paths of this test; each must occur in it once."""
    return filled_in(
        EXAMPLES / "nginx.conf",
        folder,
        {
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "server 127.0.0.1:8080;": f"server {upstream};",
            "/etc/ssl/gateway/fullchain.pem": str(folder / "fullchain.pem"),
            "/etc/ssl/gateway/privkey.pem": str(folder / "privkey.pem"),
        },
    )


def filled_in(example: Path, folder: Path, changes: Mapping[str, str]) -> Path:
    """Write a configuration into a folder, with texts of it replaced; each must occur in it once."""
    text = example.read_text("utf-8")
    for old, new in {**changes, "http {\n": f"http {{\n    {TEMPORARY}\n"}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(text, "utf-8")
    return file


@contextlib.contextmanager
def proxying(folder: Path, port: int, configuration: Path) -> Iterator[None]:
    """Run nginx with a configuration that listens on a port of loopback."""
    own = f"daemon off; pid {folder / 'nginx.pid'}; error_log {folder / 'error.log'};"
    command = [program("nginx"), "-p", str(folder), "-c", str(configuration), "-g", own]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for _ in range(PATIENCE * 10):
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None:
                    raise AssertionError(f"nginx ended: {process.communicate()[0]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    program("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    certify(folder)
    settings = folder / "gateway.toml"
    settings.write_text(TRUSTING)
    key = make_key(folder / "data", "databuddy", "api_key")
    port = free_port()
    with serving(folder / "data", "--config", str(settings)) as served:
        with proxying(folder, port, configure(folder, port, served.url.removeprefix("http://"))):
            tls = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
            yield Proxied(f"https://localhost:{port}", tls, served, key)
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


async def test_what_is_too_large_is_refused_in_the_vendors_format_with_cors(proxied: Proxied) -> None:
    body, headers = io.BytesIO(b" " * 8_000_000), {"Origin": "https://shop.example"}
    async with (
        proxied.client() as client,
        client.post(f"{proxied.url}/api/v1/track", data=body, headers=headers) as answer,
    ):
        assert (answer.status, (await answer.json())["status"]) == (413, "failure")
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"


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
