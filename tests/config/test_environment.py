"""Every setting by its variable, and what is no setting of the gateway's."""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.config import (
    Config,
    ConfigError,
    DialectSettings,
    LimitSettings,
    LogSettings,
    ProjectSettings,
    ServerSettings,
    StorageSettings,
    load,
)
from gateway.config.setting import settings_of
from gateway.ingest.clients.address_policy import IpPolicy
from tests.kit.fake_dialect import dialect

SET: Mapping[str, tuple[str, Config]] = {
    "SERVER_HOST": ("::1", Config(server=ServerSettings(host="::1"))),
    "SERVER_UNIX_SOCKET": ("/run/g.sock", Config(server=ServerSettings(unix_socket="/run/g.sock"))),
    "SERVER_TLS_CERT": ("c.pem", Config(server=ServerSettings(tls_cert="c.pem"))),
    "SERVER_TLS_KEY": ("k.pem", Config(server=ServerSettings(tls_key="k.pem"))),
    "SERVER_CLIENT_IP_HEADER": ("X-Real-IP", Config(server=ServerSettings(client_ip_header="X-Real-IP"))),
    "SERVER_PORT": ("9000", Config(server=ServerSettings(port=9000))),
    "SERVER_WORKERS": ("3", Config(server=ServerSettings(workers=3))),
    "SERVER_BODY_TIMEOUT": ("1.5", Config(server=ServerSettings(body_timeout=1.5))),
    "SERVER_IDLE_TIMEOUT": ("10", Config(server=ServerSettings(idle_timeout=10.0))),
    "SERVER_UNFINISHED_MEGABYTES": ("1", Config(server=ServerSettings(unfinished_megabytes=1.0))),
    "SERVER_CONNECTIONS_PER_ADDRESS": ("50", Config(server=ServerSettings(connections_per_address=50))),
    "SERVER_TRUSTED_PROXIES": (
        "10.0.0.0/8, ::1",
        Config(server=ServerSettings(trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("::1/128")))),
    ),
    "SERVER_ROOT_ORDER": ("acme", Config(server=ServerSettings(root_order=("acme",)))),
    "LOG_LEVEL": ("WARNING", Config(log=LogSettings(level="warning"))),
    "LOG_FORMAT": ("json", Config(log=LogSettings(format="json"))),
    "SERVER_DRAIN_SECONDS": ("10", Config(server=ServerSettings(drain_seconds=10.0))),
    "SERVER_CONSOLE": ("[::1]:9001", Config(server=ServerSettings(console="[::1]:9001"))),
    "SERVER_CONSOLE_HOSTS": (
        "a.example, b.example",
        Config(server=ServerSettings(console_hosts=("a.example", "b.example"))),
    ),
    "SERVER_PUBLIC_URL": ("https://a.example", Config(server=ServerSettings(public_url="https://a.example"))),
    "STORAGE_URL": ("sqlite:there", Config(storage=StorageSettings(url="sqlite:there"))),
    "STORAGE_QUEUE_MEGABYTES": ("1", Config(storage=StorageSettings(queue_megabytes=1.0))),
    "STORAGE_DEDUPE_DAYS": ("1", Config(storage=StorageSettings(dedupe_days=1.0))),
    "STORAGE_KEEP_EVENTS_DAYS": ("1", Config(storage=StorageSettings(keep_events_days=1.0))),
    "STORAGE_KEEP_RAW_DAYS": ("1", Config(storage=StorageSettings(keep_raw_days=1.0))),
    "STORAGE_COMPRESS": ("yes", Config(storage=StorageSettings(compress=True))),
    "STORAGE_REJECTED_MEGABYTES": ("1", Config(storage=StorageSettings(rejected_megabytes=1.0))),
    "STORAGE_REJECTED_DAYS": ("1", Config(storage=StorageSettings(rejected_days=1.0))),
    "HOSTS_COLLECT_EXAMPLE_COM": ("acme", Config(hosts={"collect.example.com": "acme"})),
    "LIMITS_ACME_REQUESTS": ("5", Config(limits={"acme": LimitSettings(requests=5)})),
    "PROJECTS_SHOP_CLIENT_IP": ("truncated", Config(projects={"shop": ProjectSettings(client_ip=IpPolicy.TRUNCATE)})),
    "PROJECTS_SHOP_FILTER_BOTS": ("True", Config(projects={"shop": ProjectSettings(filter_bots=True)})),
    "PROJECTS_SHOP_QUARANTINE_MEGABYTES": (
        "1.5",
        Config(projects={"shop": ProjectSettings(quarantine_megabytes=1.5)}),
    ),
    "PROJECTS_SHOP_HONOUR_GPC": ("Anonymize", Config(projects={"shop": ProjectSettings(honour_gpc="anonymize")})),
    "PROJECTS_SHOP_HONOUR_DNT": ("mark", Config(projects={"shop": ProjectSettings(honour_dnt="mark")})),
    "PROJECTS_SHOP_KEEP_EVENTS_DAYS": ("30", Config(projects={"shop": ProjectSettings(keep_events_days=30.0)})),
    "DIALECTS_ACME_ENABLED": ("no", Config(dialects={"acme": DialectSettings(enabled=False)})),
    "DIALECTS_ACME_ROOT": ("0", Config(dialects={"acme": DialectSettings(root=False)})),
    "DIALECTS_ACME_BODY_LIMIT_BYTES": ("10", Config(dialects={"acme": DialectSettings(body_limit_bytes=10)})),
    "DIALECTS_ACME_STRICT": ("on", Config(dialects={"acme": DialectSettings(switches={"strict": True})})),
    "DIALECTS_ACME_LENIENT": ("false", Config(dialects={"acme": DialectSettings(switches={"lenient": False})})),
}
"""A variable of each setting, without its prefix, a text for it, and what that sets."""


def configured(environ: Mapping[str, str], file: Path | None = None) -> Config:
    return load(file, environ=environ, dialects=[dialect])


def wrong(environ: Mapping[str, str], file: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        configured(environ, file)
    return str(caught.value)


@pytest.mark.parametrize(("variable", "text", "expected"), [(name, *rest) for name, rest in SET.items()], ids=str)
def test_every_setting_can_come_from_the_environment(variable: str, text: str, expected: Config) -> None:
    assert configured({f"GATEWAY_{variable}": text}) == expected


@pytest.mark.parametrize("variable", [name for name in SET if name.startswith(("SERVER_", "STORAGE_"))])
def test_the_tables_of_the_server_and_the_storage_may_be_left_out(variable: str) -> None:
    text, expected = SET[variable]
    short = "STORAGE" if variable == "STORAGE_URL" else variable.partition("_")[2]
    assert configured({f"GATEWAY_{short}": text}) == expected


def test_the_list_above_has_all_settings() -> None:
    kinds: dict[str, type[Any]] = {
        "SERVER": ServerSettings,
        "STORAGE": StorageSettings,
        "LOG": LogSettings,
        "LIMITS_ACME": LimitSettings,
        "PROJECTS_SHOP": ProjectSettings,
        "DIALECTS_ACME": DialectSettings,
    }
    all_variables = {f"{table}_{key.upper()}" for table, kind in kinds.items() for key in settings_of(kind)}
    switches = {f"DIALECTS_ACME_{switch.name.upper()}" for switch in dialect.switches}
    alone = {"LIMITS_ACME_SECONDS"}  # needs `requests` beside it
    assert SET.keys() - {"HOSTS_COLLECT_EXAMPLE_COM"} == all_variables - alone | switches


def test_a_limit_needs_its_requests_from_somewhere(tmp_path: Path) -> None:
    environ = {"GATEWAY_LIMITS_ACME_SECONDS": "5"}
    assert wrong(environ) == "environment: limits.acme.requests: is missing"
    file = tmp_path / "gateway.toml"
    file.write_text("[limits.acme]\nrequests = 7\n")
    limits = {"acme": LimitSettings(requests=7, seconds=5)}
    assert configured(environ, file) == Config(limits=limits, file=file)
    assert configured({**environ, "GATEWAY_LIMITS_ACME_REQUESTS": "7"}) == Config(limits=limits)


@pytest.mark.parametrize("variable", [*SET, "CONFIG", "DATA", "PORT", "REFUSED_DAYS", "LIMITS_ACME_SECONDS"])
@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_variable_is_unset(variable: str, text: str) -> None:
    assert configured({f"GATEWAY_{variable}": text}) == Config()


def test_old_names_work_with_and_without_their_table() -> None:
    expected = Config(storage=StorageSettings(rejected_days=3, rejected_megabytes=4))
    assert configured({"GATEWAY_REFUSED_DAYS": "3", "GATEWAY_STORAGE_REFUSED_MEGABYTES": "4"}) == expected


NAMES = """
[projects.my-shop]
filter_bots = true

[projects."Blog 2"]

[hosts]
"My-Site.example.com" = "acme"
"""


def test_a_name_in_a_variable_means_the_one_in_the_file_that_looks_like_it(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(NAMES)
    environ = {
        "GATEWAY_PROJECTS_MY_SHOP_CLIENT_IP": "nothing",
        "GATEWAY_PROJECTS_BLOG_2_CLIENT_IP": "truncated",
        "GATEWAY_PROJECTS_NEW_CLIENT_IP": "nothing",
        "GATEWAY_PROJECTS_MY__OTHER_SHOP_CLIENT_IP": "nothing",
        "GATEWAY_HOSTS_MY_SITE_EXAMPLE_COM": "acme",
        "GATEWAY_HOSTS_MY__OTHER_EXAMPLE_COM": "acme",
    }
    assert configured(environ, file) == Config(
        projects={
            "my-shop": ProjectSettings(client_ip=IpPolicy.DROP, filter_bots=True),
            "Blog 2": ProjectSettings(client_ip=IpPolicy.TRUNCATE),
            "new": ProjectSettings(client_ip=IpPolicy.DROP),
            "my-other_shop": ProjectSettings(client_ip=IpPolicy.DROP),
        },
        hosts={"my-site.example.com": "acme", "my-other.example.com": "acme"},
        file=file,
    )


def test_a_variable_that_may_mean_two_names_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[projects.shop]\n[projects.Shop]\n")
    expected = "means both projects.Shop.client_ip and projects.shop.client_ip; set them in a file"
    variable = "GATEWAY_PROJECTS_SHOP_CLIENT_IP"
    assert wrong({variable: "nothing"}, file) == f"environment: {variable}: {expected}"


def test_the_longest_name_of_an_installed_dialect_need_not_be_guessed() -> None:
    longer = attrs.evolve(dialect, name="acme_two")
    environ = {"GATEWAY_DIALECTS_ACME_TWO_STRICT": "true"}
    assert load(environ=environ, dialects=[dialect, longer]) == Config(
        dialects={"acme_two": DialectSettings(switches={"strict": True})}
    )


def test_the_installed_dialects_are_known_by_themselves() -> None:
    assert load(environ={"GATEWAY_DIALECTS_APPIZER_COERCE_IDS": "true"}) == Config(
        dialects={"appizer": DialectSettings(switches={"coerce_ids": True})}
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("GATEWAY_PORT", "tcp://10.0.0.1:80"),
        ("GATEWAY_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("GATEWAY_PORT_80_TCP_PROTO", "tcp"),
        ("GATEWAY_PORT_80_TCP_PORT", "80"),
        ("GATEWAY_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("GATEWAY_SERVICE_PORT", "80"),
        ("GATEWAY_SERVICE_PORT_HTTP", "80"),
        ("GATEWAY_SERVER_PORT", "udp://10.0.0.1:80"),
        ("GATEWAY_SERVER_SERVICE_PORT", "80"),
        ("GATEWAY_HOSTS_SERVICE_HOST", "10.0.0.1"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("OTHER_PORT", "80"),
    ],
)
def test_a_variable_that_is_not_meant_for_the_gateway_is_ignored(variable: str, text: str) -> None:
    assert configured({variable: text}) == Config()


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("GATEWAY_PORT", "http", "must be an integer, not 'http'"),
        ("GATEWAY_SERVER_PORT", "70000", "must be from 0 to 65535, not 70000"),
        ("GATEWAY_DEDUPE_DAYS", "nan", "must be from 0.01 to 3650, not nan"),
        ("GATEWAY_DEDUPE_DAYS", "week", "must be a number, not 'week'"),
        ("GATEWAY_PROT", "80", "unknown variable; did you mean GATEWAY_PORT?"),
        ("GATEWAY_SERVER_PROT", "80", "unknown variable; did you mean GATEWAY_SERVER_PORT?"),
        ("GATEWAY_DTA", "x", "unknown variable; did you mean GATEWAY_DATA?"),
        ("GATEWAY_PROJECTS_SHOP_FILTER_BOTS", "maybe", "must be true or false, not 'maybe'"),
        (
            "GATEWAY_PROJECTS_SHOP_CLIENT_IP",
            "truncate",
            "'truncate' is not an address policy; did you mean truncated?",
        ),
        (
            "GATEWAY_PROJECTS_MY_SHOP_CLIENT_PI",
            "nothing",
            "unknown variable; did you mean GATEWAY_PROJECTS_MY_SHOP_CLIENT_IP?",
        ),
        ("GATEWAY_LIMITS_ACNE_REQUESTS", "1", "unknown variable; did you mean GATEWAY_LIMITS_ACME_REQUESTS?"),
        ("GATEWAY_LIMITS_ACME_REQUESTS", "0", "must be from 1 to 1000000000, not 0"),
        ("GATEWAY_DIALECTS_ACME_STRIKT", "on", "unknown variable; did you mean GATEWAY_DIALECTS_ACME_STRICT?"),
        ("GATEWAY_HOSTS_A_EXAMPLE", "acne", "no dialect is named 'acne'; did you mean acme?"),
        ("GATEWAY_ROOT_ORDER", "acme, acne", "no dialect is named 'acne'; did you mean acme?"),
        (
            "GATEWAY_TRUSTED_PROXIES",
            "10.0.0.1/8",
            "10.0.0.1/8 has host bits set; write an address or a network, like 10.0.0.0/8",
        ),
    ],
)
def test_a_wrong_variable_is_an_error_of_one_line(variable: str, text: str, problem: str) -> None:
    assert wrong({variable: text}) == f"environment: {variable}: {problem}"


def test_everything_that_is_wrong_in_the_environment_is_in_one_line() -> None:
    environ = {"GATEWAY_WORKERS": "0", "GATEWAY_PORT": "1", "GATEWAY_SERVER_PORT": "1", "GATEWAY_LOG_LEVEL": "inof"}
    assert wrong(environ) == (
        "environment: GATEWAY_LOG_LEVEL: 'inof' is no value of level; did you mean info?; "
        "GATEWAY_SERVER_PORT: is another name of GATEWAY_PORT; set only one of them; "
        "GATEWAY_WORKERS: must be from 1 to 256, not 0"
    )
