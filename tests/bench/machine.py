"""What the figures were measured on: hardware and versions."""

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("aiohttp", "uvloop", "orjson", "jsonschema-rs", "aiosqlite", "attrs")
BASELINE = ("fastapi", "sqlalchemy", "uvicorn")


def lines() -> list[str]:
    """Return what a reader must know to compare the figures with others."""
    return [
        f"{os.cpu_count()} cores, {_processor()}, {_memory()}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        *_baseline(),
    ]


def load_average() -> float:
    """Return how many processes wanted a core over the last minute: beyond what we run, the figures are noisy."""
    return os.getloadavg()[0]


def _baseline() -> list[str]:
    try:
        return [", ".join(f"{name} {version(name)}" for name in BASELINE)]
    except PackageNotFoundError:
        return []


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / 2**30:.0f} GiB"


def filesystem(folder: Path) -> str:
    """Return the kind of filesystem a folder lies on; on a tmpfs an fsync costs nothing and the figures flatter."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    over = [fields for fields in mounts if folder.resolve().is_relative_to(fields[1])]
    kind = max(over, key=lambda fields: len(fields[1]))[2]
    return f"{kind} (an fsync costs nothing there: figures flatter)" if kind == "tmpfs" else kind
