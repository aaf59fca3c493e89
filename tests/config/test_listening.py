"""Settings of what a server listens on, and the variables by which sockets are handed over."""

import os
from pathlib import Path

import pytest

from gateway.config import Config, ConfigError, ServerSettings, check, load
from gateway.config.load import handed_over


def written(folder: Path, text: str) -> Path:
    file = folder / "gateway.toml"
    file.write_text(f"[server]\n{text}\n")
    return file


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", ("127.0.0.1",)),
        ('host = "::"', ("::",)),
        ('host = "[::1]"', ("::1",)),
        ('host = ["127.0.0.1", "::1", "127.0.0.1"]', ("127.0.0.1", "::1")),
        ('host = "127.0.0.1, ::1"', ("127.0.0.1", "::1")),
        ('host = "off"', ()),
        ('host = ["Off"]', ()),
    ],
)
def test_a_host_is_one_address_or_several_or_none(tmp_path: Path, text: str, hosts: tuple[str, ...]) -> None:
    assert load(written(tmp_path, text), environ={}).server.hosts == hosts


def test_hosts_come_from_the_environment_and_the_command_line_too(tmp_path: Path) -> None:
    file, environ = written(tmp_path, 'host = "::"'), {"GATEWAY_HOST": "127.0.0.1,::1"}
    assert load(file, environ=environ).server.hosts == ("127.0.0.1", "::1")
    assert load(file, {"host": ("127.0.0.2", "::1")}, environ=environ).server.hosts == ("127.0.0.2", "::1")
    assert load(file, {"host": None}, environ={}).server.hosts == ("::",)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("host = []", "server.host: must name an address, such as 127.0.0.1, or be 'off'"),
        ('host = ["127.0.0.1", ""]', "server.host: must name an address, such as 127.0.0.1, or be 'off'"),
        ("host = 1", "server.host: must be an address or a list of addresses, not 1"),
        ("host = [1]", "server.host: must be an address or a list of addresses, not [1]"),
        ('client_ip_header = ""', "server.client_ip_header: must be a header's name, such as x-forwarded-for, not ''"),
        (
            'client_ip_header = "x real ip"',
            "server.client_ip_header: must be a header's name, such as x-forwarded-for, not 'x real ip'",
        ),
        (
            'client_ip_header = "x-visitor"',
            "server.client_ip_header: 'x-visitor' does not tell by its name that it holds an address, like x-real-ip "
            "or client-ip",
        ),
    ],
)
def test_what_cannot_be_listened_on_or_believed_is_told_in_one_line(tmp_path: Path, text: str, wrong: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load(file, environ={})
    assert str(raised.value) == f"{file}: {wrong}"


@pytest.mark.parametrize(
    "name",
    [
        *("X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "True-Client-IP"),
        *("Fly-Client-IP", "Fastly-Client-IP", "X-Azure-ClientIP", "X-Envoy-External-Address", "X-Cluster-Client-IP"),
        *("CloudFront-Viewer-Address", "X-Appengine-User-IP", "DO-Connecting-IP", "X-Original-Forwarded-For"),
    ],
)
def test_the_headers_of_usual_proxies_can_be_believed(name: str) -> None:
    assert ServerSettings(client_ip_header=name).client_ip_header == name


def test_a_certificate_needs_its_key_and_the_key_its_certificate() -> None:
    for server, given, other in (
        (ServerSettings(tls_cert="file.pem"), "tls_cert", "tls_key"),
        (ServerSettings(tls_key="file.pem"), "tls_key", "tls_cert"),
    ):
        with pytest.raises(ConfigError) as raised:
            check(Config(server=server), ())
        assert str(raised.value) == f"configuration: server.{given}: needs {other} too"
    check(Config(server=ServerSettings(tls_cert="c.pem", tls_key="k.pem")), ())


def test_the_url_is_that_of_the_first_address() -> None:
    assert ServerSettings(host=("::1", "127.0.0.1")).url == "http://[::1]:8080"
    assert ServerSettings(tls_cert="c.pem", tls_key="k.pem", port=443).url == "https://127.0.0.1:443"
    assert ServerSettings(host="off", unix_socket="/run/g.sock").url == "unix:/run/g.sock"


@pytest.mark.parametrize(
    ("variables", "taken"),
    [
        ({}, ()),
        ({"LISTEN_FDS": "2", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "http:http"}, (3, 4)),
        ({"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid() + 1)}, ()),
        ({"LISTEN_FDS": "1"}, ()),
        ({"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())}, ()),
    ],
)
def test_sockets_are_taken_by_the_process_that_they_are_meant_for_and_once(
    variables: dict[str, str], taken: tuple[int, ...]
) -> None:
    environ = {"OTHER": "stays", **variables}
    assert (handed_over(environ), environ, handed_over(environ)) == (taken, {"OTHER": "stays"}, ())


@pytest.mark.parametrize("count", ["-1", "two", "99999", "1.0"])
def test_a_number_of_sockets_that_is_none_is_told(count: str) -> None:
    with pytest.raises(ConfigError) as raised:
        handed_over({"LISTEN_FDS": count, "LISTEN_PID": str(os.getpid())})
    assert str(raised.value) == f"environment: LISTEN_FDS: must be a number of sockets, not {count!r}"
