import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

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
    check,
    data_directory,
    load,
    problems,
    storage_url,
)
from gateway.config.setting import settings_of
from gateway.ingest.clients.address_policy import IpPolicy
from tests.kit.fake_dialect import dialect

WHOLE = """
[server]
host = "0.0.0.0"
port = 9000
workers = 2
body_timeout = 10
trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
root_order = ["acme", "appizer"]

[log]
level = "debug"
format = "json"

[storage]
queue_megabytes = 1.5
dedupe_days = 2

[hosts]
"Collect.example.com" = "acme"

[limits.acme]
requests = 600

[dialects.acme]
strict = true
lenient = false
root = false
body_limit_bytes = 1000

[projects.shop]
client_ip = "truncated"
"""


def told(text: str, tmp_path: Path) -> str:
    """Return what is said of a file, behind its name."""
    file = tmp_path / "gateway.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        check(load(file, environ={}), [dialect])
    name, _, problem = str(caught.value).partition(": ")
    assert (name, "\n" in problem) == (str(file), False)
    return problem


def test_nothing_has_to_be_set() -> None:
    assert load(environ={}) == Config()


def test_a_file_sets_everything(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(WHOLE)
    config = load(file, environ={})
    assert config == Config(
        server=ServerSettings(
            host="0.0.0.0",
            port=9000,
            workers=2,
            body_timeout=10,
            trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128")),
            root_order=("acme", "appizer"),
        ),
        log=LogSettings(level="debug", format="json"),
        storage=StorageSettings(queue_megabytes=1.5, dedupe_days=2),
        hosts={"collect.example.com": "acme"},
        limits={"acme": LimitSettings(requests=600, seconds=60)},
        dialects={
            "acme": DialectSettings(root=False, body_limit_bytes=1000, switches={"strict": True, "lenient": False})
        },
        projects={"shop": ProjectSettings(client_ip=IpPolicy.TRUNCATE)},
        data=Path("data"),
        file=file,
    )
    check(config, [dialect, attrs.evolve(dialect, name="appizer")])


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[server]\nhost = "file"\nport = 1\nworkers = 1\nlog_level = "error"\n')
    environ = {"GATEWAY_CONFIG": str(file), "GATEWAY_HOST": "environment", "GATEWAY_PORT": "2", "GATEWAY_DATA": "there"}
    flags = {"host": "flag", "port": None, "workers": None, "data": None}
    server = ServerSettings(host="flag", port=2, workers=1)
    expected = Config(server=server, log=LogSettings(level="error"), data=Path("there"), file=file)
    assert load(None, flags, environ) == expected
    assert load(None, {"data": Path("here")}, environ).data == Path("here")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[servre]", "servre: unknown key; did you mean server?"),
        ("[x]", "x: unknown key; choose from: dialects, hosts, limits, log, projects, server, storage"),
        ("[server]\nprot = 1", "server.prot: unknown key; did you mean port?"),
        ("server = 1", "server: must be a table; write [server] and its settings below"),
        ("[limits]\nacme = 1", "limits.acme: must be a table; write [limits.acme] and its settings below"),
        ("[server]\nport = '80'", "server.port: must be an integer, not '80'"),
        ("[server]\nport = true", "server.port: must be an integer, not true"),
        ("[server]\nworkers = 0", "server.workers: must be from 1 to 256, not 0"),
        ("[server]\nbody_timeout = nan", "server.body_timeout: must be from 0.1 to 3600, not nan"),
        ("[storage]\nqueue_megabytes = inf", "storage.queue_megabytes: must be from 1 to 65536, not inf"),
        ("[server]\nlog_level = 'inof'", "server.log_level: 'inof' is no value of level; did you mean info?"),
        (
            "[server]\ntrusted_proxies = '10.0.0.1'",
            "server.trusted_proxies: must be a list of addresses and networks, not '10.0.0.1'",
        ),
        (
            "[server]\ntrusted_proxies = ['10.0.0.1/8']",
            "server.trusted_proxies: 10.0.0.1/8 has host bits set; write an address or a network, like 10.0.0.0/8",
        ),
        ("[limits.acme]\nseconds = 1", "limits.acme.requests: is missing"),
        ("[limits.acme]\nrequest = 1", "limits.acme.request: unknown key; did you mean requests?"),
        ("[limits.acme]\nrequests = 0", "limits.acme.requests: must be from 1 to 1000000000, not 0"),
        ("[limits.acne]\nrequests = 1", "limits.acne: no dialect is named 'acne'; did you mean acme?"),
        ("[dialects.zeta]", "dialects.zeta: no dialect is named 'zeta'; choose from: acme"),
        ("[dialects.acme]\nstrikt = true", "dialects.acme.strikt: unknown key; did you mean strict?"),
        ("[dialects.acme]\nstrikt = false", "dialects.acme.strikt: unknown key; did you mean strict?"),
        (
            "[dialects.acme]\nstrict = 'yes'",
            "dialects.acme.strict: must be true or false, not 'yes'; a dialect's own settings are switches",
        ),
        ("[dialects.acme]\nenabled = 1", "dialects.acme.enabled: must be true or false, not 1"),
        (
            "[dialects.acme]\nenabled = false\n[hosts]\n'a.example' = 'acme'",
            'hosts."a.example": the dialect acme is not enabled; set dialects.acme.enabled = true',
        ),
        ("[server]\nroot_order = 'acme'", "server.root_order: must be a list of names, not 'acme'"),
        ("[server]\nroot_order = ['acne']", "server.root_order: no dialect is named 'acne'; did you mean acme?"),
        ("[storage]\nrefused_days = 0", "storage.refused_days: must be from 0.01 to 3650, not 0"),
        (
            "[dialects.acme]\nstrict = 1",
            "dialects.acme.strict: must be true or false, not 1; a dialect's own settings are switches",
        ),
        (
            "[dialects.acme]\nbody_limit_bytes = 0",
            "dialects.acme.body_limit_bytes: must be at least 1, not 0",
        ),
        (
            "[dialects.acme]\nbody_limit_bytes = true",
            "dialects.acme.body_limit_bytes: must be an integer, not true",
        ),
        ("[hosts]\n'a.example' = 'acne'", "hosts.\"a.example\": no dialect is named 'acne'; did you mean acme?"),
        ("[hosts]\n'a.example' = 1", 'hosts."a.example": must be a string, not 1'),
        ("[hosts]\n'a.example:80' = 'acme'", "hosts.\"a.example:80\": must be only a host name; write 'a.example'"),
        (
            "[projects.shop]\nclient_ip = 'truncate'",
            "projects.shop.client_ip: 'truncate' is not an address policy; did you mean truncated?",
        ),
        (
            "[projects.shop]\nip = 1",
            "projects.shop.ip: unknown key; choose from: client_ip, filter_bots, honour_dnt, honour_gpc, "
            "keep_events_days, quarantine_megabytes",
        ),
        (
            "[projects.shop]\nquarantine_megabytes = -1",
            "projects.shop.quarantine_megabytes: must be from 0 to 65536, not -1",
        ),
        ("[server", "is not TOML: Expected ']' at the end of a table declaration (at end of document)"),
    ],
)
def test_a_wrong_file_is_told_in_one_line_with_the_place(text: str, problem: str, tmp_path: Path) -> None:
    assert told(text, tmp_path) == problem


EVERYTHING_WRONG = """
[server]
port = 70000
workers = 0
log_level = "inof"
hots = "0.0.0.0"

[storage]
refused_days = 1
rejected_days = 2
dedupe_days = "a week"

[limits.acme]
request = 1
seconds = 0

[limits.acne]
requests = 1

[hosts]
"a.example:80" = "acme"
"b.example" = "acne"

[dialects.acme]
strikt = true
body_limit_bytes = 0

[project.shop]
client_ip = "truncated"
"""


def test_all_that_is_wrong_in_a_file_is_found_at_once(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(EVERYTHING_WRONG)
    expected = [
        "server.hots: unknown key; did you mean host?",
        "server.log_level: 'inof' is no value of level; did you mean info?",
        "server.port: must be from 0 to 65535, not 70000",
        "server.workers: must be from 1 to 256, not 0",
        "storage.dedupe_days: must be a number, not 'a week'",
        "storage.refused_days: is the old name of rejected_days; set only one of them",
        "limits.acme.request: unknown key; did you mean requests?",
        "limits.acme.seconds: must be from 1 to 1000000000, not 0",
        "limits.acne: no dialect is named 'acne'; did you mean acme?",
        "project: unknown key; did you mean projects?",
        "dialects.acme.body_limit_bytes: must be at least 1, not 0",
        "hosts.\"a.example:80\": must be only a host name; write 'a.example'",
        "hosts.\"b.example\": no dialect is named 'acne'; did you mean acme?",
        "dialects.acme.strikt: unknown key; did you mean strict?",
    ]
    assert sorted(problems(file, [dialect])) == sorted(f"{file}: {each}" for each in expected)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    first = "server.port: must be from 0 to 65535, not 70000"
    assert str(caught.value) == f"{file}: {first} (10 more: see `gateway check-config {file}`)"


TABLES = {
    "server": ServerSettings,
    "storage": StorageSettings,
    "limits.acme": LimitSettings,
    "projects.shop": ProjectSettings,
    "dialects.acme": DialectSettings,
}


@pytest.mark.parametrize(
    ("table", "key"), [(table, key) for table, kind in TABLES.items() for key in settings_of(kind)]
)
@pytest.mark.parametrize("value", ["true", "7", "'x'"])
def test_a_misspelt_key_is_answered_with_the_nearest_one(table: str, key: str, value: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    rest = "requests = 1\n" if table.startswith("limits") and key != "requests" else ""
    file.write_text(f"[{table}]\n{key[:-1]}_ = {value}\n{rest}")
    assert problems(file, [dialect]) == (f"{file}: {table}.{key[:-1]}_: unknown key; did you mean {key}?",)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    config = load(file, environ={})
    file.write_text(WHOLE)
    assert load(file, environ={}) == config
    assert problems(file, [dialect, attrs.evolve(dialect, name="appizer")]) == ()


def test_log_levels_may_be_in_capitals(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[log]\nlevel = 'WARNING'\nformat = 'JSON'\n")
    assert load(file, environ={}) == Config(log=LogSettings(level="warning", format="json"), file=file)


def test_the_log_level_may_stand_where_it_stood_before(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[server]\nlog_level = 'error'\n[log]\nformat = 'json'\n")
    assert load(file, environ={}) == Config(log=LogSettings(level="error", format="json"), file=file)
    assert load(file, environ={"GATEWAY_LOG_LEVEL": "debug"}).log == LogSettings(level="debug", format="json")
    assert load(environ={"GATEWAY_SERVER_LOG_LEVEL": "debug"}).log == LogSettings(level="debug")
    file.write_text("[server]\nlog_level = 'error'\n[log]\nlevel = 'error'\n")
    assert problems(file, []) == (f"{file}: server.log_level: is the old name of log.level; set only one of them",)


def test_reading_settings_loads_no_json_schema() -> None:
    """The writer process reads settings too, and would carry the library's memory for nothing."""
    program = "import sys, gateway.config; print(sorted({'jsonschema', 'jsonschema_rs', 'aiohttp'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_good_file_has_no_problems_and_one_that_cannot_be_read_has_one(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    assert problems(file, [dialect]) == (f"{file}: cannot be read: No such file or directory",)
    file.write_text(WHOLE)
    assert problems(file, [dialect, attrs.evolve(dialect, name="appizer")]) == ()


def test_old_names_work_below_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[storage]\nrefused_days = 1\nrefused_megabytes = 2\n")
    assert load(file, environ={}) == Config(storage=StorageSettings(rejected_days=1, rejected_megabytes=2), file=file)
    environ = {"GATEWAY_REJECTED_DAYS": "3", "GATEWAY_REFUSED_MEGABYTES": "4"}
    assert load(file, environ=environ) == Config(
        storage=StorageSettings(rejected_days=3, rejected_megabytes=4), file=file
    )


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml", environ={})
    assert str(caught.value) == f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory"


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"gateway\.toml: is not TOML: 'utf-8' codec"):
        load(file, environ={})


def test_the_data_directory_is_the_flags_then_the_environments_then_data() -> None:
    environ = {"GATEWAY_DATA": "/there"}
    directories = [data_directory(Path("/here"), environ), data_directory(None, environ), data_directory(None, {})]
    assert directories == [Path("/here"), Path("/there"), Path("data")]


STORAGES: tuple[tuple[dict[str, str], dict[str, str], str | None, str], ...] = (
    ({}, {}, None, "sqlite:data"),
    ({}, {"GATEWAY_DATA": "there"}, None, "sqlite:there"),
    ({}, {"GATEWAY_DATA": "there"}, "postgresql:///of-file", "postgresql:///of-file"),
    ({}, {"GATEWAY_STORAGE": "sqlite:env", "GATEWAY_DATA": "there"}, "postgresql:///of-file", "sqlite:env"),
    ({}, {"GATEWAY_STORAGE_URL": "sqlite:env"}, None, "sqlite:env"),
    ({"storage": "sqlite:here"}, {"GATEWAY_STORAGE": "sqlite:env"}, "postgresql:///of-file", "sqlite:here"),
    ({"data": "here"}, {"GATEWAY_STORAGE": "sqlite:env"}, "postgresql:///of-file", "sqlite:here"),
    ({"data": "here"}, {}, "postgresql:///of-file", "sqlite:here"),
)
"""The command line, the environment, `storage.url` of the file, and which store that is."""


@pytest.mark.parametrize(("flags", "environ", "of_file", "expected"), STORAGES)
def test_the_store_is_that_of_the_command_line_then_of_the_environment_then_of_the_file(
    tmp_path: Path, flags: dict[str, str], environ: dict[str, str], of_file: str | None, expected: str
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("" if of_file is None else f'[storage]\nurl = "{of_file}"\n')
    data = Path(flags["data"]) if "data" in flags else None
    assert load(file, flags, environ).storage_url == expected
    assert storage_url(data, flags.get("storage"), file, environ) == expected
    assert storage_url(data, flags.get("storage"), None, {**environ, "GATEWAY_CONFIG": str(file)}) == expected


def test_a_url_that_is_no_text_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[storage]\nurl = 5\n")
    said = rf"^{file}: storage\.url: must be a string, not 5$"
    with pytest.raises(ConfigError, match=said):
        load(file, environ={})
    with pytest.raises(ConfigError, match=said):
        storage_url(file=file, environ={})


def test_a_password_in_the_url_is_not_in_a_repr() -> None:
    assert "hunter2" not in repr(load(flags={"storage": "postgresql://me:hunter2@db/x"}, environ={}))
