"""`gateway serve` on several addresses, a Unix socket and TLS, with several processes; and what it cannot listen on."""

import asyncio
import shutil
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.kit.certificates import Pair, certificate, client
from tests.kit.handing_over import Client
from tests.kit.serving import run, serving
from tests.workers.crowd import KEY, gateway

SOON = 20.0
PUBLIC = "https://collect.example.com"


def request(name: str) -> bytes:
    body = b'{"messageId":"%b","userId":"u","event":"e"}' % name.encode()
    head = "POST /api/public/apps/track HTTP/1.1\r\nHost: g\r\nForwarded: for=198.51.100.7;proto=https\r\n"
    browser = "Origin: https://shop.example\r\n"  # so that the event has the client's address
    return f"{head}{browser}Authorization: Basic {KEY}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def send(address: tuple[str, int] | str, name: str, tls: ssl.SSLContext | None) -> int:
    opened = await Client.open(address, tls)
    status, _ = await asyncio.wait_for(opened.send(request(name)), SOON)
    opened.writer.close()
    return status


async def presented(address: tuple[str, int], pair: Pair) -> bool:
    """Return whether a certificate is presented."""
    try:
        (await Client.open(address, client(pair))).writer.close()
    except ssl.SSLCertVerificationError:
        return False
    return True


async def test_several_processes_share_addresses_and_a_unix_socket_and_take_up_a_new_certificate(
    tmp_path: Path,
) -> None:
    first, second, unix = certificate(tmp_path, "first"), certificate(tmp_path, "second"), tmp_path / "g.sock"
    used = Pair(tmp_path / "cert.pem", tmp_path / "key.pem")
    shutil.copy(first.certificate, used.certificate)
    shutil.copy(first.key, used.key)
    config = tmp_path / "gateway.toml"
    config.write_text(
        f'[server]\nunix_socket = "{unix}"\npublic_url = "{PUBLIC}/"\nclient_ip_header = "forwarded"\n'
        'trusted_proxies = ["::1"]\n'
    )
    tls = ("--tls-cert", str(used.certificate), "--tls-key", str(used.key))
    with gateway(tmp_path / "data", "--config", str(config), "--host", "::1", *tls) as served:
        port = urlsplit(served.url).port
        assert port is not None
        assert served.greeting.splitlines()[-2:] == [
            f"Listens at https://127.0.0.1:{port} and https://[::1]:{port} and unix:{unix}",
            f"https://127.0.0.1:{port}",
        ]
        places: dict[str, tuple[str, int] | str] = {
            "four": ("127.0.0.1", port),
            "six": ("::1", port),
            "unix": str(unix),
        }
        for name, address in places.items():
            trust = None if isinstance(address, str) else client(first)
            assert [await send(address, f"{name} {number}", trust) for number in range(4)] == [204] * 4
        shutil.copy(second.certificate, used.certificate)
        shutil.copy(second.key, used.key)
        deadline, fresh = time.monotonic() + SOON, 0
        while fresh < 6:  # of either process
            fresh = fresh + 1 if await presented(("127.0.0.1", port), second) else 0
            assert time.monotonic() < deadline
        stored = {str(event["message_id"]): event["context"]["ip"] for event in served.events()}
        assert {name.split()[0]: address for name, address in stored.items()} == {
            "four": "127.0.0.1",
            "six": "198.51.100.7",
            "unix": "198.51.100.7",
        }
        assert len(stored) == 12
        assert served.stop() == 0
    assert not unix.exists()
    log = (tmp_path / "data.stderr").read_text()
    assert log.count(f"read {used.certificate} and its key anew\n") == 2
    assert "WARNING" not in log
    assert "ERROR" not in log


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--tls-cert", "no.pem"), 1, "configuration: server.tls_cert: needs tls_key too"),
        (("--tls-cert", "no.pem", "--tls-key", "no.key"), 1, "TLS: cannot read no.pem: No such file or directory"),
        (("--host", "off"), 1, "nothing to listen on: server.host is off, and server.unix_socket is not set"),
        (("--host", ""), 1, "command line: server.host: must name an address, such as 127.0.0.1, or be 'off'"),
    ],
)
def test_what_cannot_be_listened_on_is_told_in_one_line_before_anything_is_made(
    tmp_path: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    done = run("serve", "--data", str(tmp_path / "data"), "--port", "0", *options)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"Error: {said}\n")
    assert not (tmp_path / "data" / "keys.db").exists()


async def test_where_it_listens_on_a_unix_socket_alone_that_is_its_url_and_its_first_start_names_the_public_one(
    tmp_path: Path,
) -> None:
    unix = tmp_path / "g.sock"
    env = {"GATEWAY_HOST": "off", "GATEWAY_UNIX_SOCKET": str(unix), "GATEWAY_PUBLIC_URL": f"{PUBLIC}/"}
    with serving(tmp_path / "data", env=env, hosts=()) as served:
        assert served.url == f"unix:{unix}"
        assert f'apiUrl: "{PUBLIC}" }}' in served.greeting
        assert "Listens at" not in served.greeting
        opened = await Client.open(str(unix), None)
        assert await opened.send(b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n") == (200, True)
        opened.writer.close()
        assert served.stop() == 0
    assert not unix.exists()
