"""An EventFilter as a condition in SQL, whose values are parameters. Pure."""

from gateway.storage.read import EventFilter

TIMES = {"since": ("received_at >= {at}", "before >= {at}"), "before": ("received_at < {at}", "since < {at}")}
"""For each bound, the condition on an event, and the one on a row of `log_times`."""

NAMED = {name: name + " = {value}" for name in ("project", "dialect", "type", "name", "message_id")} | {
    "person": "(user_id = {value} OR anonymous_id = {value})"
}
"""The condition on an event for each text that can be asked for."""

FIRST_MILLIS, LAST_MILLIS = -62_135_596_800_000, 253_402_300_800_000
"""The years from 1 to 9999: no event is received outside, and a database knows no times far beyond."""


def condition(where: EventFilter, first: int) -> tuple[str, list[object]]:
    """Return the condition on an event, and the values of its parameters, which are numbered from `first` on."""
    parts: list[str] = []
    values: list[object] = []
    for name, text in NAMED.items():
        value = getattr(where, name)
        if value is not None:
            parts.append(text.format(value=f"${first + len(values)}::text"))
            # As lines.py has it; what is not UTF-8 is no event's.
            values.append(value.replace("\0", "\ufffd"))
            if not _is_utf8(value):
                return "false", []
    timed, more = _times(where, first + len(values), 0)
    return " AND ".join([*parts, *timed]) or "true", [*values, *more]


def spans(where: EventFilter, first: int) -> tuple[str, list[object]] | None:
    """Return the same for rows of `log_times`; None if no time is asked for."""
    parts, values = _times(where, first, 1)
    return (" AND ".join(parts), values) if parts else None


def _times(where: EventFilter, first: int, of: int) -> tuple[list[str], list[object]]:
    parts: list[str] = []
    values: list[object] = []
    for bound, texts in TIMES.items():
        value = getattr(where, bound)
        if value is not None:
            parts.append(texts[of].format(at=f"to_timestamp(${first + len(values)}::bigint / 1000.0)"))
            values.append(min(max(value, FIRST_MILLIS), LAST_MILLIS))
    return parts, values


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
