"""The script is shipped. What it does in a page is tested in tests/sdk."""

from dialects.browsee.shim import shim


def test_the_script_is_shipped_and_shows_what_the_vendors_loader_looks_for() -> None:
    text = shim().decode("ascii")
    assert text.startswith("/*")
    assert "browsee.initialied = true" in text
