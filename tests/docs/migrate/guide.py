"""The pages of docs/migrate/, with a team's own values in the place of the examples.

One rule for all of them: `https://collect.example.com` is the team's gateway, `shop.example.com` its site, a vendor's
CDN is a site with a stand-in for the vendor's script, and YOUR_... is the value of that name.
"""

from collections.abc import Mapping

import attrs

from tests.docs.migrate.migration import Migration
from tests.docs.readme import ROOT, blocks
from tests.kit.of_dialects import modules
from tests.sdk.site import HOST

GATEWAY = "https://collect.example.com"
SECTIONS = ("Before you start", "What to change", "What to check", "How to go back", "Known differences")
MIGRATIONS: Mapping[str, Migration] = {name: each.MIGRATION for name, each in modules("migration").items()}
"""Who leaves, by the name of the vendor."""


@attrs.frozen(kw_only=True)
class Guide:
    """One page."""

    text: str

    def section(self, title: str) -> str:
        """Return what stands under a heading, further headings below it included."""
        level = "\n### " if f"\n### {title}\n" in self.text else "\n## "
        after = self.text.partition(f"{level}{title}\n")[2]
        assert after, title
        return after.partition(level)[0].partition("\n## ")[0]

    def blocks(self, language: str, title: str) -> list[str]:
        """Return the blocks of a language under a heading."""
        return blocks(language, self.section(title))

    def block(self, language: str, title: str) -> str:
        """Return the only such block."""
        [only] = self.blocks(language, title)
        return only

    def policies(self) -> list[str]:
        """Return the page's Content Security Policies."""
        lines = self.blocks("http", "Content Security Policy")
        return [line.removeprefix("Content-Security-Policy: ").strip() for line in lines]


def guide(vendor: str, *, gateway: str = GATEWAY, cdn: str = "") -> Guide:
    """Return a vendor's page for a team whose gateway has that address, and whose vendor's scripts are at `cdn`."""
    text = (ROOT / "docs" / "migrate" / f"{vendor}.md").read_text("utf-8")
    for name, value in MIGRATIONS[vendor].values.items():
        text = text.replace(name, value)
    theirs = MIGRATIONS[vendor].cdn
    if theirs is not None:
        text = text.replace(theirs, cdn or theirs)
    return Guide(text=text.replace(GATEWAY, gateway).replace("shop.example.com", HOST))
