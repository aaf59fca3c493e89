"""Allowed origins: which Origin headers a list of hosts admits."""

import pytest

from gateway.keys.origins import origin_allowed


@pytest.mark.parametrize(
    ("allowed", "origin", "admitted"),
    [
        ((), "https://any.example", True),
        (("*",), "null", True),
        (("shop.example",), "https://shop.example", True),
        (("shop.example",), "http://WWW.Shop.Example:8080", True),
        (("www.shop.example",), "https://shop.example", True),
        (("shop.example",), "https://a.b.shop.example", True),
        (("*.shop.example",), "https://shop.example", True),
        (("shop.example",), "https://evilshop.example", False),
        (("shop.example",), "https://shop.example.evil.example", False),
        (("shop.example", "blog.example"), "https://blog.example", True),
        (("localhost",), "http://localhost:3000", True),
        (("localhost:*",), "http://localhost:3000", True),
        (("[::1]",), "http://[::1]:3000", True),
        (("shop.example",), "null", False),
        (("shop.example",), "", False),
        (("shop.example",), None, True),
    ],
)
def test_an_origin_is_admitted_by_its_host_alone(allowed: tuple[str, ...], origin: str | None, admitted: bool) -> None:
    assert origin_allowed(allowed, origin) is admitted


def test_no_origin_at_all_passes_unless_one_is_required() -> None:
    assert (origin_allowed(("shop.example",), None, required=True), origin_allowed((), None, required=True)) == (
        False,
        True,
    )
