"""Headers and queries of any size are kept within a bound."""

import json

import orjson

from gateway.records.bounded_head import MAX_HEADERS, bounded


def test_the_longest_headers_are_left_out_beyond_a_bound() -> None:
    few = orjson.dumps({"host": "h", "x": "y" * 100})
    many = {"host": "h", "x-long": "é" * 20_000, **{f"x-{number}": "z" * 50 for number in range(100)}}
    found = bounded(orjson.dumps(many))
    assert bounded(few) == few
    assert len(found) <= MAX_HEADERS
    assert json.loads(found) == {**{name: many[name] for name in many if name != "x-long"}, "(not kept)": "x-long"}
    assert len(bounded(orjson.dumps({"n" * 60_000: "v"}))) < 1000


def test_headers_of_any_bytes_are_bounded_too() -> None:
    headers = json.dumps({"x-bad": "\udcff" * 9000, "host": "h"}).encode()
    assert json.loads(bounded(headers)) == {"host": "h", "(not kept)": "x-bad"}
