"""What an import has done so far, and how it is told."""

import attrs

MOST_FAULTS = 20
"""How many bad items are told one by one."""


@attrs.define
class Totals:
    """How many items became what. `passed_over` are recorded requests that are for no route.

    `faults` are the first bad items, as `file:line: why`.
    """

    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    filtered: int = 0
    passed_over: int = 0
    faults: list[str] = attrs.field(factory=list)

    @property
    def items(self) -> int:
        """How many items there were."""
        return self.stored + self.duplicate + self.quarantined + self.filtered

    def summary(self, *, is_dry: bool) -> str:
        """Return the totals: `3 stored, 1 already stored, 0 quarantined`."""
        parts = [f"{self.stored} stored", f"{self.duplicate} already stored", f"{self.quarantined} quarantined"]
        if self.filtered:
            parts.append(f"{self.filtered} filtered")
        if self.passed_over:
            parts.append(f"{self.passed_over} requests passed over")
        return ("it would be: " if is_dry else "") + ", ".join(parts)

    def tell(self, where: str, why: str) -> None:
        """Take note of a bad item."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"{where}: {why}")
