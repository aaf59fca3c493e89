from ipaddress import ip_network

import pytest

from gateway.http.client_address import client_address
from gateway.ingest.address_policy import IpPolicy, apply
from gateway.keys.origins import host_of, origin_of

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1 ,10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.2.3.4", "10.2.3.4"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db9::1]:4711", "2001:db9::1"),
        ("2001:db8::1", "2001:DB9::1", "2001:db9::1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fe80::1%eth0", "198.51.100.1", "fe80::1"),
        ("@", "198.51.100.1", "@"),
        (None, "198.51.100.1", None),
    ],
)
def test_the_client_is_the_last_one_that_a_trusted_proxy_names(
    peer: str | None, forwarded_for: str | None, address: str | None
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == address


def test_without_trusted_proxies_the_header_is_nobodys_word() -> None:
    assert client_address("10.0.0.1", "198.51.100.1", ()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("policy", "client_ip", "left"),
    [
        (IpPolicy.KEEP, "203.0.113.9", "203.0.113.9"),
        (IpPolicy.KEEP, None, None),
        (IpPolicy.TRUNCATE, "203.0.113.9", "203.0.113.0"),
        (IpPolicy.TRUNCATE, "2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        (IpPolicy.TRUNCATE, "::ffff:203.0.113.9", "203.0.113.0"),
        (IpPolicy.TRUNCATE, "unknown", None),
        (IpPolicy.TRUNCATE, None, None),
        (IpPolicy.DROP, "203.0.113.9", None),
    ],
)
def test_a_project_keeps_what_its_policy_leaves(policy: IpPolicy, client_ip: str | None, left: str | None) -> None:
    assert apply(policy, client_ip) == left


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("shop.example.com", "shop.example.com"),
        (" Shop.Example.COM. ", "shop.example.com"),
        ("https://shop.example.com:8443/cart?x=1", "shop.example.com"),
        ("localhost:3000", "localhost"),
        ("localhost:*", "localhost"),
        ("203.0.113.9", "203.0.113.9"),
        ("http://[2001:DB8::1]:80/", "[2001:db8::1]"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_host_is_read_out_of_what_people_paste(written: str, host: str) -> None:
    assert (host_of(written), origin_of(written)) == (host, host)


def test_an_origin_may_stand_for_many_hosts() -> None:
    assert (origin_of("*"), origin_of("https://*.Shop.example/")) == ("*", "*.shop.example")


@pytest.mark.parametrize("written", ["", "https://", "null", "a b", "a..b", "x" * 64, "[::1", "[shop]", "*.*", "a@b"])
def test_what_is_no_host_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"host|IPv6"):
        origin_of(written)
