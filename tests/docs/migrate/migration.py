"""What a team has that leaves one vendor: each dialect with a page in docs/migrate/ has one, in its own tests."""

from collections.abc import Mapping, Set

import attrs

NOTHING: Mapping[str, str] = {}
OWN = "Serving the script yourself"
"""A heading of most pages."""


@attrs.frozen(kw_only=True)
class Migration:
    """`values` stand for the page's YOUR_..., and `environ` is what the team's servers have in their environment.

    The vendor's scripts are at `cdn`. `packages` are those that the team has installed, with their place in
    tests/sdk/node_modules; `stand_ins` are packages that no registry has, each as a script. `run` is what the tests of
    the vendor run beside what is on every page: the heading and the language of each block.
    """

    values: Mapping[str, str]
    run: Set[tuple[str, str]]
    environ: Mapping[str, str] = NOTHING
    cdn: str | None = None
    packages: Mapping[str, str] = NOTHING
    stand_ins: Mapping[str, str] = NOTHING
