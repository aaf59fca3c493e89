"""How errors in a configuration are reported: what, where, and what to do. Facts and their one line; no checks."""

import difflib
import re
from collections.abc import Iterable

MAX_NAMES = 20
"""A hint lists no more names than this."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that TOML takes without quotes


class ConfigError(Exception):
    """A setting that cannot be used. The message is one line: where it stands, what is wrong, what to do.

    `gateway.toml: server.port: must be an integer, not '80'`
    """


class SettingError(Exception):
    """One thing wrong in a document. `path` is where, as the keys from the top; `problem` is what, and what to do.

    As text: `hosts."a.example": must be a string, not 1`.
    """

    def __init__(self, path: Iterable[str], problem: str) -> None:
        self.path = tuple(path)
        self.problem = problem
        steps = [step if _BARE.fullmatch(step) else f'"{step}"' for step in self.path]
        super().__init__(f"{'.'.join(steps)}: {problem}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the nearest known one, or all of them.

    `did you mean port?`, `choose from: appizer, browsee` or `there are none`.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"did you mean {near[0]}?"
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"choose from: {', '.join(names[:MAX_NAMES])}{more}" if names else "there are none"
