"""What JavaScript's `Date` writes is read as it reads it itself: clients write times by `String(new Date())` too."""

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.dialect import from_iso, from_rfc2822
from tests.sdk.programs import drive

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "Etc/GMT+12", "America/Sao_Paulo"),
)
YEAR_200, YEAR_9999 = -55855785600000, 253370764800000  # V8 takes the year 24 for 2024
WORDS = (
    *("Fri", "Thu", "Fri,", "Mar", "Feb", "01", "1", "29", "2024", "24", "01:00:00", "01:00", "25:00:00", "PM", "AM"),
    *("GMT", "UTC", "UT", "Z", "CET", "EST", "PDT", "+0100", "-01:00", "GMT+0100", "UTC-0530", "GMT+1", "(CET)", "()"),
)
ORDERS = ("Fri, 01 Mar 2024 01:00:00 GMT", "Fri Mar 01 2024 01:00:00 GMT+0100 (CET)")

moments = st.tuples(st.sampled_from(ZONES), st.integers(YEAR_200, YEAR_9999))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Return a date in words with some words in the place of others, between them or left out."""
    words = draw(st.sampled_from(ORDERS)).split()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(words)))
        words[at : at + draw(st.integers(0, 1))] = draw(st.lists(st.sampled_from(WORDS), max_size=1))
    return " ".join(words)


@settings(max_examples=8, phases=[Phase.explicit, Phase.generate])  # shrinking would start node thousands of times
@given(st.lists(moments, min_size=20, max_size=60), st.lists(mutated(), min_size=100, max_size=200))
def test_what_javascript_writes_is_read_as_it_reads_it_and_nothing_otherwise(
    written: list[tuple[str, int]], texts: list[str]
) -> None:
    told = drive("dates.mjs", {"moments": written, "texts": texts})
    ours = [[text, from_iso(text) or from_rfc2822(text)] for text, _ in told]
    count = 4 * len(written)
    assert ours[:count] == told[:count]
    assert [mine for mine, theirs in zip(ours[count:], told[count:], strict=True) if mine[1] and mine != theirs] == []
