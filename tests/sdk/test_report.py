"""The compatibility page is made of what the tests say they ran and how they ended."""

from xml.etree import ElementTree

from tests.sdk.report import HEAD, page, rows

CASE = '<testcase name="t"><properties>{}</properties>{}</testcase>'
NAMED = (
    '<property name="sdk" value="a &lt;b&gt;"/><property name="version" value="1"/><property name="call" value="{}"/>'
)


def test_each_test_that_names_an_sdk_is_a_row_and_each_sdk_has_a_sum() -> None:
    other = NAMED.replace("a &lt;b&gt;", "b").replace('value="1"', 'value="{}"')
    cases = [
        CASE.format(NAMED.format("z|z"), ""),
        CASE.format(NAMED.format("broken"), "<failure message='x'/>"),
        CASE.format(NAMED.format("halted"), "<error message='x'/>"),
        CASE.format(NAMED.format("away"), "<skipped message='npm is not installed'/>"),
        CASE.format(other.format("1", "x"), ""),
        CASE.format(other.format("2", "x"), ""),
        CASE.format(other.format("2", "y"), ""),
        CASE.format("", ""),
    ]
    report = ElementTree.fromstring(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    assert page(rows(report)) == HEAD + (
        "\n## Every SDK\n"
        "\n| SDK | versions | calls | of these work |\n|---|---|---|---|\n"
        "| a &lt;b> | 1 | 4 | 1 |\n"
        "| b | 1; 2 | 3 | all |\n"
        "\n## Every call\n"
        "\n| SDK | version | call | result |\n|---|---|---|---|\n"
        "| a &lt;b> | 1 | away | not run: npm is not installed |\n"
        "| a &lt;b> | 1 | broken | **fails** |\n"
        "| a &lt;b> | 1 | halted | **fails** |\n"
        "| a &lt;b> | 1 | z\\|z | works |\n"
        "| b | 1 | x | works |\n"
        "| b | 2 | x | works |\n"
        "| b | 2 | y | works |\n"
    )
