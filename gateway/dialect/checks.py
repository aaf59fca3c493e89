"""Checks of what a dialect declares, made when its values are made. Each raises ValueError with the problem."""

import re

_PATH = re.compile(r"(/[^/{}\s]*|/\{[a-z_]+\})+")


def check(is_good: bool, problem: str) -> None:
    """Raise ValueError with the problem unless all is well; the registry adds the dialect's name."""
    if not is_good:
        raise ValueError(problem)


def check_paths(owner: str, paths: tuple[str, ...]) -> None:
    """Check the paths of an endpoint; `owner` names it."""
    for path in paths:
        check(isinstance(path, str) and _PATH.fullmatch(path) is not None, f"{owner}: path {path!r} must begin with /")
        check(path == "/" or not path.endswith("/"), f"{owner}: path {path!r} ends with /; leave it out")
        check(path.count("{") <= 1, f"{owner}: path {path!r} has more than one variable segment")


def check_method(owner: str, method: str) -> None:
    """Check the method of an endpoint; `owner` names it."""
    check(method.isalpha() and method.isupper(), f"{owner}: method {method!r} must be in capitals, like POST")
