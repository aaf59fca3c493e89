"""The name of a held item's group: the first of its faults, whatever a damaged record says."""

import pytest

from gateway.storage.held.groups import fault_group


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ('[{"code": "type", "pointer": "/a/0/b/12"}, {"code": "x"}]', ("type", "/a/*/b/*")),
        ('[{"code": "type", "pointer": "/a0/1b"}]', ("type", "/a0/1b")),
        ('[{"code": 7}]', ("7", "")),
        ('[{"code": "\\ud800", "pointer": null}]', ("?", "None")),
        ("[]", ("", "")),
        ("[7]", ("", "")),
        ('{"code": "a"}', ("", "")),
        ("[" * 100_000, ("", "")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_group_is_named_by_the_first_fault_and_damaged_faults_have_none(
    faults: str, expected: tuple[str, str]
) -> None:
    assert fault_group(faults) == expected
