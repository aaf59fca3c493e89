"""The shape of the house: which room may import which, how long a file may be, the same files in every dialect."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GATEWAY = ROOT / "gateway"
MODULES = sorted([*GATEWAY.rglob("*.py"), *(ROOT / "dialects").rglob("*.py")])
VENDORS = sorted(folder.name for folder in (ROOT / "dialects").iterdir() if (folder / "__init__.py").exists())

ALLOWED: Mapping[str, set[str]] = {
    "dialect": set(),
    "store_error": set(),
    "datadir": {"store_error"},
    "malloc_trim": set(),
    "clock": set(),
    "printable": set(),
    "logs": {"printable"},
    "http": {"dialect", "malloc_trim", "logs"},
    "keys": {"dialect", "printable"},
    "records": {"dialect"},
    "storage": {"dialect", "keys", "records", "store_error", "datadir"},
    "ingest": {"dialect", "http", "keys", "records", "storage", "logs"},
    "operate": {"dialect", "keys", "records", "storage", "ingest", "store_error", "datadir", "printable"},
    "config": {"dialect", "http", "keys", "records", "storage", "ingest"},
    "workers": {
        *("dialect", "http", "keys", "records", "storage", "ingest", "operate", "config"),
        *("datadir", "malloc_trim", "clock", "logs"),
    },
    "console": {
        *("dialect", "http", "keys", "records", "storage", "ingest", "operate", "config", "workers"),
        *("store_error", "clock", "printable", "logs"),
    },
    "app": {"http", "records", "ingest", "config", "workers", "datadir", "clock"},
    "serve": {"http", "records", "storage", "ingest", "operate", "config", "workers", "datadir", "clock", "logs"},
    "testing": {
        *("dialect", "http", "keys", "records", "storage", "ingest", "operate", "config", "workers", "console"),
        *("app", "serve", "store_error", "datadir", "malloc_trim", "clock", "printable", "logs"),
    },
    "pytest_plugin": {"testing", "printable"},
    "cli": {
        *("dialect", "http", "keys", "records", "storage", "ingest", "operate", "config", "workers", "console"),
        *("serve", "testing", "store_error", "datadir", "clock", "printable"),
    },
    "__main__": {"cli"},
}
"""Who may import whom: each room, and the single modules beside them, with what it may import beyond itself."""

ENGINE = {
    *("contract", "read", "buckets", "outcomes_json", "quarantined_items", "plan", "decide", "group_commit"),
    *("quarantine_hash", "held", "records", "rejected_log", "moving", "info", "store", "erasing"),
}
"""What an engine may import inside storage/."""

INSIDE_STORAGE: Mapping[str, set[str]] = {
    "contract": set(),
    "read": set(),
    "buckets": set(),
    "outcomes_json": set(),
    "quarantined_items": {"contract"},
    "plan": {"contract", "buckets"},
    "decide": {"contract", "outcomes_json", "quarantined_items", "plan", "buckets"},
    "group_commit": {"contract"},
    "held": {"quarantined_items"},
    "records": {"read", "held"},
    "erasing": {"contract", "plan", "held"},
    "rejected_log": {"buckets"},
    "quarantine_hash": set(),
    "moving": {"read"},
    "info": {"read"},
    "store": {"contract", "group_commit", "read", "records", "rejected_log", "moving", "info", "erasing"},
    "engines": {"store"},
    "sqlite": ENGINE,
    "postgres": ENGINE,
}
"""The same inside storage/."""

INSIDE_SQLITE: Mapping[str, set[str]] = {
    "connection": set(),
    "log": {"connection"},
    "blobs": set(),
    "tables": {"connection"},
    "rejected_file": {"connection"},
    "credential_uses": {"connection", "rejected_file"},
    "keys": {"connection"},
    "old_positions": {"connection"},
    "unfinished_move": set(),
    "upkeep": {"connection", "tables", "log"},
    "migrate_v5": {"connection"},
    "quarantine": {"connection", "migrate_v5"},
    "dedupe": {"connection", "tables", "log"},
    "read": {"connection", "tables", "log", "rejected_file", "old_positions"},
    "info": {"read", "upkeep"},
    "erasing": {"connection", "log", "blobs", "tables", "rejected_file", "read"},
    "moving": {
        *("connection", "log", "blobs", "tables", "rejected_file", "keys", "old_positions", "unfinished_move"),
        *("quarantine", "dedupe", "read", "upkeep"),
    },
    "checkpointer": {"connection"},
    "log_settings": {"quarantine", "dedupe"},
    "log_writer": {
        *("connection", "tables", "log", "blobs", "unfinished_move", "upkeep", "quarantine", "dedupe", "erasing"),
        "log_settings",
    },
    "tidying": {"connection", "upkeep", "log_writer"},
    "engine": {"connection", "upkeep", "checkpointer", "log_settings", "log_writer", "tidying"},
    "store": {
        *("rejected_file", "credential_uses", "keys", "upkeep", "read", "info", "erasing", "moving", "log_settings"),
        "engine",
    },
}
"""The same inside storage/sqlite/."""

INSIDE_POSTGRES: Mapping[str, set[str]] = {
    "positions": set(),
    "lines": set(),
    "connection": set(),
    "keys": {"connection"},
    "tables": {"connection", "keys"},
    "partitions": {"connection", "tables"},
    "retention": {"connection", "tables", "partitions"},
    "gateways": {"connection", "tables"},
    "write": {"connection", "positions", "lines", "partitions", "gateways"},
    "read": {"connection", "positions", "gateways", "write"},
    "rejected": {"connection"},
    "credential_uses": {"connection"},
    "backups": {"connection"},
    "erasing": {
        *("connection", "positions", "tables", "partitions", "gateways", "write", "read", "rejected"),
    },
    "moving": {
        *("connection", "positions", "lines", "tables", "partitions", "gateways", "write", "read", "rejected"),
    },
    "engine": {"connection", "tables", "partitions", "gateways", "write"},
    "maintenance": {"connection", "partitions", "retention", "read", "engine"},
    "store": {
        *("connection", "keys", "tables", "retention", "read", "rejected", "credential_uses", "moving", "engine"),
        *("maintenance", "backups", "erasing"),
    },
}
"""The same inside storage/postgres/."""

OLD_NAMES = {"event", "message", "outcome", "decode", "timestamps", "record"}
"""Modules that only keep the names working under which dialects imported the contract before 0.2."""

ONLY_IN = {
    "aiosqlite": {"gateway/storage/sqlite/"},
    "asyncpg": {"gateway/storage/postgres/", "gateway/testing/postgres/remote.py"},
    "cattrs": {"gateway/config/structure.py"},
    "isal": {"gateway/storage/sqlite/log/compression.py", "gateway/operate/backup/members.py"},
    "aiohttp": {"gateway/http/", "gateway/console/", "gateway/app.py", "gateway/testing/"},
    "aiohttp_jinja2": {"gateway/console/"},
    "aiohttp_sse": {"gateway/console/"},
    "jinja2": {"gateway/console/"},
    "hypothesis": {"gateway/testing/"},
    "importlib.metadata": {"gateway/ingest/registry.py", "gateway/storage/engines.py"},
    "jsonschema": {"gateway/ingest/schema.py", "gateway/testing/"},
    "jsonschema_rs": {"gateway/ingest/schema.py", "gateway/testing/"},
    "pyarrow": {"gateway/operate/formats/parquet.py"},
    "pytest": {"gateway/pytest_plugin.py"},
    "msgspec": {"gateway/workers/ipc_codec.py", "gateway/workers/shared_memory.py"},
}
"""Libraries that have one place."""


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(file: Path) -> Iterator[str]:
    """Yield what a module imports, `from a import b` as `a.b` where that is a module of ours and as `a` elsewhere."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(file)} imports relatively"
            module = str(node.module)
            for name in node.names:
                inner = ROOT / module.replace(".", "/") / name.name
                yield f"{module}.{name.name}" if inner.is_dir() or inner.with_suffix(".py").exists() else module


def room_of(module: str, package: str) -> str | None:
    """Return the room that a module lies in, one level below a package; None for what lies elsewhere."""
    if not module.startswith(f"{package}."):
        return None
    return module.removeprefix(f"{package}.").split(".")[0]


def dotted(file: Path) -> str:
    return relative(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_every_room_and_every_module_beside_them_is_in_the_table() -> None:
    found = {path.stem for path in GATEWAY.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - {"__init__"} == ALLOWED.keys() | OLD_NAMES


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("gateway", ALLOWED),
        ("gateway.storage", INSIDE_STORAGE),
        ("gateway.storage.sqlite", INSIDE_SQLITE),
        ("gateway.storage.postgres", INSIDE_POSTGRES),
    ],
    ids=["the rooms", "inside storage", "inside sqlite", "inside postgres"],
)
def test_a_room_imports_only_what_it_may(package: str, allowed: Mapping[str, set[str]]) -> None:
    wrong = {
        f"{relative(file)} imports {imported}"
        for file in GATEWAY.rglob("*.py")
        if (room := room_of(dotted(file), package)) is not None and (package != "gateway" or room not in OLD_NAMES)
        for imported in imports(file)
        if (other := room_of(imported, package)) is not None and other != room and other not in allowed[room]
    }
    assert wrong == set()


def test_no_room_imports_one_that_imports_it() -> None:
    for allowed in (ALLOWED, INSIDE_STORAGE, INSIDE_SQLITE, INSIDE_POSTGRES):
        order = list(allowed)
        assert [
            room for room, others in allowed.items() if any(order.index(other) >= order.index(room) for other in others)
        ] == []


def test_the_old_names_of_the_contract_only_pass_it_on() -> None:
    for name in OLD_NAMES:
        assert {room_of(imported, "gateway") for imported in imports(GATEWAY / f"{name}.py")} == {"dialect"}


def test_a_library_is_imported_only_in_its_place() -> None:
    wrong = {
        f"{relative(file)} imports {imported}"
        for file in MODULES
        for imported in imports(file)
        for library, places in ONLY_IN.items()
        if imported == library or imported.startswith(f"{library}.")
        if not any(relative(file).startswith(place) for place in places)
    }
    assert wrong == set()


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_dialect_imports_only_the_contract_and_itself(vendor: str) -> None:
    sources = {
        node.module
        for file in (ROOT / "dialects" / vendor).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("gateway", "dialects")
    }
    assert {source for source in sources if not f"{source}.".startswith(f"dialects.{vendor}.")} == {"gateway.dialect"}


def test_the_environment_is_read_in_one_place() -> None:
    reading = {
        relative(file) for file in MODULES if "os.environ" in (text := file.read_text("utf-8")) or "getenv" in text
    }
    assert reading == {"gateway/config/load.py"}


def test_the_log_is_named_in_sql_only_where_its_engine_is() -> None:
    statement = re.compile(r"\b(?:from|join|into|update|table|view)\s+(?:log|events)\b", re.IGNORECASE)
    naming = {
        relative(file)
        for file in MODULES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_sql(node.value)
        if statement.search(node.value)
    }
    engines = ("gateway/storage/sqlite/", "gateway/storage/postgres/")
    assert {file for file in naming if not file.startswith(engines)} == set()
    assert "gateway/storage/sqlite/read/pages.py" in naming


def is_sql(text: str) -> bool:
    """Return whether a text of a module is a statement, or the rest of one, and not prose."""
    return re.search(r"\b(?:SELECT|INSERT|UPDATE|DELETE|FROM|JOIN)\b", text) is not None


def test_no_file_is_longer_than_a_person_reads() -> None:
    files = [*MODULES, *(ROOT / "tests").rglob("*.py")]
    assert [relative(file) for file in files if len(file.read_text("utf-8").splitlines()) >= 400] == []


def test_a_folder_holds_one_idea() -> None:
    folders = {file.parent for file in MODULES}
    assert [relative(folder) for folder in folders if len(list(folder.glob("*.py"))) > 16] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_dialect_has_the_same_files(vendor: str) -> None:
    expected = {
        *("__init__.py", "routes.py", "credentials.py", "parse.py", "wire.py", "translate.py", "render.py"),
        *("errors.py", "description.py", "README.md"),
    }
    assert expected - {file.name for file in (ROOT / "dialects" / vendor).iterdir()} == set()


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_dialects_readme_has_the_same_sections(vendor: str) -> None:
    lines = (ROOT / "dialects" / vendor / "README.md").read_text("utf-8").splitlines()
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == [
        *("Endpoints", "Credentials", "Limits", "Ids and times", "Where fields go", "Switches", "Known differences"),
    ]


def test_a_module_opens_by_saying_what_may_live_in_it() -> None:
    assert [relative(file) for file in MODULES if not ast.get_docstring(ast.parse(file.read_text("utf-8")))] == []
