"""The shape of the house: who may import whom, how long a file may be, the same files in every dialect."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([*(ROOT / "gateway").rglob("*.py"), *(ROOT / "dialects").rglob("*.py")])
VENDORS = sorted(folder.name for folder in (ROOT / "dialects").iterdir() if (folder / "__init__.py").exists())

LAYERS = [
    {"event", "timestamps", "ids", "record", "heap"},
    {"message", "outcome", "sentence"},
    {"decode", "inflate", "hostnames", "head"},
    {"dialect", "schema", "storage", "differences"},
    {"registry", "limit", "auth", "idempotency", "metrics", "clients", "bots"},
    {"configfile", "keyvalues", "routing", "examine", "blank"},
    {"config", "keytables", "assemble", "own", "refused", "admission"},
    {"keyfile", "keywatch", "pipeline", "replay", "admin", "ledgers"},
    {"front"},
    {"reading", "eager"},
    {"connection"},
    {"server", "welcome", "workers"},
    {"app"},
    {"commands", "worker"},
    {"cli"},
    {"__main__"},
]
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}

OPEN_TO_DIALECTS = {
    f"gateway.{name}" for name in ("dialect", "event", "message", "outcome", "decode", "timestamps", "record")
}
ONLY_IN = {
    "jsonschema": {"gateway/schema.py"},
    "jsonschema_rs": {"gateway/schema.py"},
    "aiosqlite": {"gateway/keywatch.py", "gateway/storage/"},
    "importlib.metadata": {"gateway/registry.py"},
    "httptools": {"gateway/reading.py"},
    "cattrs": {"gateway/configfile.py"},
}


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(file)} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{name.name}" for name in node.names)


def layer_of(module: str) -> int | None:
    return LAYER.get(module.split(".")[1]) if module.startswith("gateway.") else None


def test_every_module_of_the_gateway_has_its_layer() -> None:
    names = {path.stem if path.is_file() else path.name for path in (ROOT / "gateway").iterdir()}
    assert names - {"__init__", "__pycache__", "py"} == set(LAYER)


@pytest.mark.parametrize("file", MODULES, ids=relative)
def test_a_module_imports_only_what_it_may(file: Path) -> None:
    own, seen = relative(file), set(imports(file))
    wrong = {
        module
        for module in seen
        for library, places in ONLY_IN.items()
        if (module == library or module.startswith(f"{library}."))
        and not any(own.startswith(place) for place in places)
    }
    if own.startswith("gateway/"):
        wrong |= {module for module in seen if module.split(".")[0] == "dialects"}
        mine = LAYER[file.relative_to(ROOT / "gateway").parts[0].removesuffix(".py")] if file.stem != "__init__" else 99
        package = file.relative_to(ROOT / "gateway").parts[0]
        for module in seen:
            layer = layer_of(module)
            if layer is not None and layer >= mine and module.split(".")[1] != package:
                wrong.add(module)
    else:
        vendor = own.split("/")[1]
        wrong |= {module for module in seen if module.startswith("gateway.") and not _open(module)}
        wrong |= {module for module in seen if module.startswith("dialects.") and module.split(".")[1] != vendor}
    assert wrong == set()


def _open(module: str) -> bool:
    return module in OPEN_TO_DIALECTS or module.rpartition(".")[0] in OPEN_TO_DIALECTS


@pytest.mark.parametrize("file", MODULES, ids=relative)
def test_the_environment_is_read_in_one_place(file: Path) -> None:
    reads = "os.environ" in file.read_text("utf-8") or "getenv" in file.read_text("utf-8")
    assert reads == (relative(file) == "gateway/config.py")


@pytest.mark.parametrize("file", sorted((ROOT / "tests").rglob("*.py")) + MODULES, ids=relative)
def test_no_file_is_longer_than_a_person_reads(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) < 400


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_dialect_has_the_same_files(vendor: str) -> None:
    expected = {"__init__.py", "wire.py", "parse.py", "translate.py", "render.py", "README.md"}
    assert expected - {file.name for file in (ROOT / "dialects" / vendor).iterdir()} == set()


@pytest.mark.parametrize("file", MODULES, ids=relative)
def test_a_module_opens_by_saying_what_may_live_in_it(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text("utf-8")))
