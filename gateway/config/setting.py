"""What a setting is: an attrs field that also carries its meaning, bounds and example. Which there are is elsewhere."""

from collections.abc import Callable
from typing import Any

import attrs

from gateway.config.errors import did_you_mean

KEY = "gateway.setting"
"""Under which key of a field's metadata its `About` stands."""


@attrs.frozen
class About:
    """What is known of a setting, or of a whole table, beyond its name, type and default.

    `meaning` is one or two sentences, which name the unit. `example` is a value for settings that have no default; for
    tables it is the name of one. `choices` are the texts that a setting takes. `variable` is the short name of its
    environment variable, after `GATEWAY_`, where that is not the setting's name. `check` raises ValueError, with what
    is wrong and what to do, on a value that the rest does not exclude. A `secret` one is not shown. A reload changes
    what is `live`; all else stays as it is until the next start.
    """

    meaning: str
    example: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    variable: str | None = None
    check: Callable[[Any], object] | None = None
    secret: bool = False
    live: bool = False

    @property
    def bounds(self) -> str:
        """Return the bounds in words: `from 0 to 65535`, `at least 1`, or nothing."""
        if self.low is None:
            return ""
        return f"at least {self.low}" if self.high is None else f"from {self.low} to {self.high}"


def setting(
    default: Any = attrs.NOTHING,
    *,
    meaning: str,
    example: Any = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    variable: str | None = None,
    secret: bool = False,
    live: bool = False,
    check: Callable[[Any], object] | None = None,
) -> Any:
    """Return an attrs field for a setting. Its validator raises ValueError with what is wrong and what to do.

    A `secret` one may hold a password, and is not in the repr. For the rest see About.

    `port: int = setting(8080, low=0, high=65535, meaning="The port to listen on.")`
    """
    about = About(meaning, example, low, high, choices, variable, check, secret, live)
    converter = str.lower if choices else None
    return attrs.field(
        default=default, validator=_validate, converter=converter, repr=not secret, metadata={KEY: about}
    )


def table(kind: type, *, meaning: str, example: str | None = None, live: bool = False) -> Any:
    """Return an attrs field for a table: a class of settings, or `dict` for tables by name, such as `example`.

    Of a table by name that is `live`, every setting is.
    """
    return attrs.field(factory=kind, metadata={KEY: About(meaning, example, live=live)})


def about(field: "attrs.Attribute[Any]") -> About:
    """Return what is known of a setting or a table. Raises KeyError for fields that are neither."""
    known: About = field.metadata[KEY]
    return known


def settings_of(kind: type[Any]) -> "dict[str, attrs.Attribute[Any]]":
    """Return the settings of a table's class, or the tables of the whole tree, by name."""
    return {field.name: field for field in attrs.fields(kind) if KEY in field.metadata}


def _validate(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    known = about(field)
    if value is None:
        return
    if known.choices and value.lower() not in known.choices:
        raise ValueError(f"{value!r} is no value of {field.name}; {did_you_mean(value, known.choices)}")
    if known.low is not None:
        high = float("inf") if known.high is None else known.high
        if not known.low <= value <= high:  # NaN fails this too
            raise ValueError(f"must be {known.bounds}, not {value!r}")
    if known.check is not None:
        known.check(value)
