import socket
from ipaddress import ip_network

import pytest

from gateway.http.client_address import MAX_HOPS, UNIX, client_ip, peer_of
from gateway.ingest.clients.address_policy import IpPolicy, apply
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
        ("::ffff:10.0.0.1", None, "10.0.0.1"),
        ("::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", '"198.51.100.1"', "198.51.100.1"),
        ("10.0.0.1", '"[2001:db9::1]:443"', "2001:db9::1"),
        ("10.0.0.1", ' "[2001:db9::1]" ', "2001:db9::1"),
        ("10.0.0.1", "2001:db9::1", "2001:db9::1"),
        ("10.0.0.1", "[::ffff:198.51.100.1]:443", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1,", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6,, 198.51.100.1 , ,\t,10.2.3.4,,", "198.51.100.1"),
        ("10.0.0.1", ", ,", "10.0.0.1"),
        ("10.0.0.1", '""', "10.0.0.1"),
        ("10.0.0.1", '"198.51.100.1', "10.0.0.1"),
        ("10.0.0.1", "[2001:db9::1", "10.0.0.1"),
        ("10.0.0.1", "[2001:db9::1]evil", "10.0.0.1"),
        ("10.0.0.1", f"6.6.6.6, {'9' * 60_000}", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1" + ",10.0.0.2" * (MAX_HOPS - 1), "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1" + ",10.0.0.2" * MAX_HOPS, "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1" + "," * 60_000, "10.0.0.1"),
        ("@", "198.51.100.1", "@"),
        (None, "198.51.100.1", None),
    ],
)
def test_the_client_is_the_last_one_that_a_trusted_proxy_names(
    peer: str | None, forwarded_for: str | None, address: str | None
) -> None:
    assert client_ip(PROXIES)(peer, {} if forwarded_for is None else {"x-forwarded-for": forwarded_for}) == address


def test_without_trusted_proxies_the_header_is_nobodys_word() -> None:
    assert client_ip(())("10.0.0.1", {"x-forwarded-for": "198.51.100.1"}) == "10.0.0.1"


@pytest.mark.parametrize(
    ("trusted", "peer", "address"),
    [
        ("", "::ffff:192.0.2.1", "192.0.2.1"),
        ("", "192.0.2.1", "192.0.2.1"),
        ("", "2001:db8::1", "2001:db8::1"),
        ("", "::ffff:nonsense", "::ffff:nonsense"),
        ("192.0.2.0/24", "::ffff:192.0.2.1", "198.51.100.1"),
        ("::ffff:192.0.2.0/120", "::ffff:192.0.2.1", "198.51.100.1"),
        ("::ffff:192.0.2.0/120", "192.0.2.1", "198.51.100.1"),
        ("198.51.100.0/24", "::ffff:192.0.2.1", "192.0.2.1"),
        ("::/0", "2001:db8::1", "198.51.100.1"),
    ],
)
def test_an_ipv4_peer_of_a_socket_of_both_families_is_ipv4(trusted: str, peer: str, address: str) -> None:
    networks = [ip_network(each) for each in trusted.split()]
    assert client_ip(networks)(peer, {"x-forwarded-for": "198.51.100.1"}) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ("FOR = 198.51.100.1 ; proto=https", "198.51.100.1"),
        ("proto=https;by=10.0.0.1;For=198.51.100.1:4711", "198.51.100.1"),
        ('for="[2001:db9::1]"', "2001:db9::1"),
        ('for="[2001:db9::1]:443";proto=https', "2001:db9::1"),
        ('for="198.51.100.1:80"', "198.51.100.1"),
        ("for=6.6.6.6, for=198.51.100.1", "198.51.100.1"),
        ("for=6.6.6.6, for=198.51.100.1,for=10.2.3.4;by=10.0.0.1", "198.51.100.1"),
        ("for=198.51.100.1, , ,", "198.51.100.1"),
        ("for=unknown", "10.0.0.1"),
        ("for=_hidden, for=10.2.3.4", "10.2.3.4"),
        ("for=198.51.100.1, for=unknown", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("198.51.100.1", "10.0.0.1"),
        ("for", "10.0.0.1"),
        ("for=", "10.0.0.1"),
        ("for=198.51.100.1, proto=https", "10.0.0.1"),
        ("for=6.6.6.6;for=198.51.100.1", "10.0.0.1"),
        # What stands in quotes is no separator, nor what a client began before the proxy's word.
        ('for=198.51.100.1;host="a,for=6.6.6.6"', "198.51.100.1"),
        ('for=198.51.100.1;host="a\\",for=6.6.6.6;x=\\"b"', "198.51.100.1"),
        ('for=198.51.100.1;host="a\\\\"', "198.51.100.1"),
        ('for="6.6.6.6, for=198.51.100.1', "198.51.100.1"),
        ('for=6.6.6.6;x="\\, for=198.51.100.1;host="a;for=7.7.7.7"', "198.51.100.1"),
        (f"for=198.51.100.1;host={'a' * 600}", "10.0.0.1"),
        ("for=198.51.100.1" + ",for=10.0.0.2" * (MAX_HOPS - 1), "198.51.100.1"),
        ("for=198.51.100.1" + ",for=10.0.0.2" * MAX_HOPS, "10.0.0.2"),
        ("for=198.51.100.1" + "," * 60_000, "10.0.0.1"),
        ("," + '\\"' * 30_000, "10.0.0.1"),
        ('for=10.0.0.2;x="' + '\\"' * 30_000 + '"', "10.0.0.1"),
        ("for=198.51.100.1" + f",for=10.0.0.2;by={'x' * 300}" * 20, "10.0.0.2"),
    ],
)
def test_the_header_forwarded_is_read_from_its_end_as_its_standard_says(forwarded: str, address: str) -> None:
    assert client_ip(PROXIES, "Forwarded")("10.0.0.1", {"forwarded": forwarded}) == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" 2001:db9::1 ", "2001:db9::1"),
        ("198.51.100.1, 6.6.6.6", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("9" * 60_000, "10.0.0.1"),
    ],
)
def test_any_other_header_names_one_address_alone_or_nobodys(value: str, address: str) -> None:
    named = client_ip(PROXIES, "CF-Connecting-IP")
    assert named("10.0.0.1", {"cf-connecting-ip": value, "x-forwarded-for": "6.6.6.6"}) == address
    assert named("203.0.113.9", {"cf-connecting-ip": value}) == "203.0.113.9"


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-original-forwarded-for"])
def test_on_a_unix_socket_the_header_is_believed_and_without_it_no_address_is_known(header: str) -> None:
    for networks in ((), PROXIES):
        named = client_ip(networks, header)
        assert named(UNIX, {header: "6.6.6.6, 198.51.100.1"}) == "198.51.100.1"
        assert named(UNIX, {}) is None
        assert named(UNIX, {header: "unknown"}) is None
    assert client_ip(PROXIES, header)(UNIX, {header: "198.51.100.1, 10.2.3.4"}) == "198.51.100.1"


def test_a_peer_is_known_by_its_address_and_every_program_on_a_unix_socket_by_one_word() -> None:
    assert [peer_of(name) for name in (("192.0.2.1", 80), ("::ffff:192.0.2.1", 80, 0, 0), None, "", "/path")] == [
        *("192.0.2.1", "192.0.2.1", None, None, None)
    ]
    assert [peer_of(name, socket.AF_UNIX) for name in (None, "", "/path", b"\0name")] == [UNIX] * 4


def test_without_a_peer_there_is_no_address() -> None:
    assert client_ip(())(None, {"x-forwarded-for": "198.51.100.1"}) is None


@pytest.mark.parametrize(
    ("policy", "address", "left"),
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
def test_a_project_keeps_what_its_policy_leaves(policy: IpPolicy, address: str | None, left: str | None) -> None:
    assert apply(policy, address) == left


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
