"""What a reload changes, in words, and what the next start does; what systemd is told where it cannot hear."""

import socket
from ipaddress import ip_network
from pathlib import Path

from gateway.config import (
    Config,
    DialectSettings,
    LimitSettings,
    LogSettings,
    ProjectSettings,
    ServerSettings,
    StorageSettings,
)
from gateway.config.load import notify_socket
from gateway.ingest.clients.address_policy import IpPolicy
from gateway.workers.control.changes import MAX_SHOWN, changes, in_words, listed, set_values
from gateway.workers.control.notify import Notifier

OLD = Config(
    server=ServerSettings(port=9000, public_url="https://a.example"),
    storage=StorageSettings(url="postgresql://gateway:hush@localhost/gateway", keep_events_days=30),
    limits={"acme": LimitSettings(requests=10)},
    hosts={"a.example": "acme"},
    dialects={"acme": DialectSettings(switches={"strict": True})},
    data=Path("here"),
)
NEW = Config(
    server=ServerSettings(port=9001, trusted_proxies=(ip_network("10.0.0.0/8"),), console="off"),
    storage=StorageSettings(url="postgresql://gateway:secret@localhost/gateway", compress=True),
    log=LogSettings(level="debug"),
    hosts={"b.example": "acme"},
    projects={"shop": ProjectSettings(client_ip=IpPolicy.DROP)},
    dialects={"acme": DialectSettings(root=False)},
    data=Path("there"),
)


def test_what_a_reload_changes_and_what_the_next_start_does() -> None:
    found = changes(OLD, NEW)
    assert found.now == (
        'server.trusted_proxies [] -> ["10.0.0.0/8"]',
        'server.public_url "https://a.example" -> none',
        "storage.keep_events_days 30 -> 0",
        'log.level "info" -> "debug"',
        'hosts.a.example "acme" -> none',
        "limits.acme.requests 10 -> none",
        "dialects.acme.root true -> false",
        "dialects.acme.strict true -> false",
        'hosts.b.example none -> "acme"',
        f'projects.shop.client_ip "{IpPolicy.KEEP.value}" -> "{IpPolicy.DROP.value}"',
    )
    assert found.later == (
        "server.port 9000 -> 9001",
        'server.console "127.0.0.1:8081" -> "off"',
        "storage.url (secret)",
        "storage.compress false -> true",
    )
    assert found.config == Config(
        server=ServerSettings(port=9000, trusted_proxies=(ip_network("10.0.0.0/8"),)),
        storage=StorageSettings(url="postgresql://gateway:hush@localhost/gateway"),
        log=NEW.log,
        hosts=NEW.hosts,
        projects=NEW.projects,
        dialects=NEW.dialects,
        data=Path("here"),
    )
    assert changes(found.config, found.config).now == ()


def test_a_configuration_in_words_has_no_secret_and_an_end() -> None:
    assert in_words(set_values(OLD)) == (
        'server.port = 9000, server.public_url = "https://a.example", storage.url = "(secret)", '
        'storage.keep_events_days = 30, hosts.a.example = "acme", limits.acme.requests = 10, '
        "dialects.acme.strict = true"
    )
    assert in_words(set_values(Config())) == "all defaults"
    many = {f"{number}.example": "acme" for number in range(MAX_SHOWN + 5)}
    values = set_values(Config(hosts=many))
    assert (len(values), values["more"]) == (MAX_SHOWN + 1, 5)
    assert listed(changes(Config(), Config(hosts=many)).now).endswith('hosts.39.example none -> "acme" and 5 more')
    hosts = tuple(f"{number}.example" for number in range(100))
    [said] = changes(Config(), Config(server=ServerSettings(console_hosts=hosts))).now
    assert said == 'server.console_hosts [] -> "100 values"'


def test_systemd_is_told_at_an_abstract_address_too_and_a_deaf_one_does_no_harm(tmp_path: Path) -> None:
    name = f"gateway-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        systemd.setblocking(False)
        notifier = Notifier(notify_socket({"NOTIFY_SOCKET": f"@{name}"}))
        notifier.ready()
        notifier.reloading()
        assert systemd.recv(100) == b"READY=1"
        state, when = systemd.recv(100).decode().split("\n")
        assert (state, when.removeprefix("MONOTONIC_USEC=").isdigit()) == ("RELOADING=1", True)
    for address in (f"@{name}", str(tmp_path / "missing"), "vsock:2:1", None):
        Notifier(address).stopping()
    assert notify_socket({"NOTIFY_SOCKET": ""}) is None
