"""Which cases can be sent to one gateway, one after the other, and how it is configured. Pure.

A store takes a while to make. Cases share one if none of them sends what another has sent already: no id and no
Idempotency-Key of theirs is the same.
"""

from collections.abc import Mapping

import attrs

from gateway.config import Config, DialectSettings, LimitSettings, StorageSettings
from gateway.dialect import Dialect
from gateway.ingest.registry import discover
from gateway.testing.corpus.case import Case
from gateway.testing.subject import Subject


@attrs.define(eq=False)
class Round:
    """Cases with the same settings for one gateway. `keys` are all by which it will know their requests again."""

    switches: frozenset[str]
    limit: LimitSettings | None
    cases: list[Case] = attrs.field(factory=list)
    keys: set[bytes] = attrs.field(factory=set)

    @property
    def settings(self) -> object:
        """Return what two rounds have in common that can be sent to one gateway; a limit counts for one round alone."""
        return self.switches if self.limit is None else self

    def has_room(self, case: Case, keys: frozenset[bytes]) -> bool:
        """Return whether a case can be sent in this round too. A limit counts the requests of one case alone."""
        return self.limit is None and case.limit is None and self.switches == case.switches and not self.keys & keys

    def config(self, dialect: Dialect, url: str) -> Config:
        """Return the settings of a gateway that serves one dialect and stores in the store of a URL."""
        others: Mapping[str, DialectSettings] = {each.name: DialectSettings(enabled=False) for each in discover()}
        own = DialectSettings(switches=dict.fromkeys(self.switches, True))
        return Config(
            storage=StorageSettings(url=url),
            dialects={**others, dialect.name: own},
            limits={} if self.limit is None else {dialect.name: self.limit},
        )


def rounds(subject: Subject) -> list[Round]:
    """Return all cases of a dialect in as few rounds as can be had by taking one after the other."""
    found: list[Round] = []
    for case in subject.corpus.cases:
        keys = subject.in_memory.send(case).keys
        chosen = next((each for each in found if each.has_room(case, keys)), None)
        if chosen is None:
            chosen = Round(case.switches, case.limit)
            found.append(chosen)
        chosen.cases.append(case)
        chosen.keys |= keys
    return sorted(found, key=lambda each: (each.limit is not None, sorted(each.switches)))
