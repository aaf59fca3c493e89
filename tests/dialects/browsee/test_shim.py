"""The script is shipped. What it does in a page is tested in tests/sdk."""

import re

from dialects.browsee.shim import shim
from dialects.browsee.wire import PAGE, PAGE_FIELDS


def test_the_script_is_shipped_and_shows_what_the_vendors_loader_looks_for() -> None:
    text = shim().decode("ascii")
    assert text.startswith("/*")
    assert "browsee.initialied = true" in text


def test_the_script_sends_the_page_under_the_names_that_the_gateway_reads() -> None:
    text = shim().decode("ascii")
    [body] = re.findall(r"function currentPage\(\) \{\n    return \{(.*?)\};", text, re.DOTALL)
    assert sorted(re.findall(r"(\w+): textOf\(", body)) == sorted(PAGE_FIELDS)
    assert f"call.{PAGE} = currentPage();" in text
