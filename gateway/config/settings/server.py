"""`[server]`: where it listens, and what a request may take."""

import attrs

from gateway.config.addresses import address_header, console_address, host_names, listening_hosts, public_url
from gateway.config.setting import setting
from gateway.http.bind import UNIX_SCHEME, url_to
from gateway.http.client_address import X_FORWARDED_FOR, Network

MEBIBYTE = 1024 * 1024
MAX_LIMIT = 1_000_000_000


@attrs.frozen
class ServerSettings:
    """`[server]`."""

    host: str | tuple[str, ...] = setting(
        "127.0.0.1",
        check=listening_hosts,
        meaning='The address to listen on, or a list of several, such as ["127.0.0.1", "::1"]; "off" is none, for a '
        "Unix socket alone. `::` takes IPv4 too, unless an IPv4 address is in the list. Sockets that systemd hands "
        "over take the place of host, port and unix_socket.",
    )
    port: int = setting(8080, low=0, high=65535, meaning="The port to listen on, at all addresses. 0 picks a free one.")
    unix_socket: str | None = setting(
        None,
        example="/run/gateway/http.sock",
        meaning="A Unix socket to listen on too, for a proxy on this machine. The user and the group of the gateway "
        "may send to it (mode 0660), and are trusted like one of trusted_proxies.",
    )
    tls_cert: str | None = setting(
        None,
        example="/etc/gateway/fullchain.pem",
        meaning="The certificate, with its chain, in PEM: with it the gateway speaks https at its addresses, and no "
        "http. It is read again when the file changes. The Unix socket always speaks http.",
    )
    tls_key: str | None = setting(
        None, example="/etc/gateway/privkey.pem", meaning="The key of tls_cert, in PEM, without a passphrase."
    )
    workers: int = setting(
        1, low=1, high=256, meaning="How many processes answer HTTP. On SQLite they share one writer."
    )
    body_timeout: float = setting(
        30.0, low=0.1, high=3600, live=True, meaning="Seconds that a client has to send the whole body of a request."
    )
    idle_timeout: float = setting(
        75.0,
        low=0.1,
        high=86_400,
        live=True,
        meaning="Seconds that a connection may wait for its next request, or for the head of one. Keep it longer than "
        "your proxy keeps its connections (nginx: 60), or the proxy sends into closed ones.",
    )
    unfinished_megabytes: float = setting(
        256.0,
        low=1,
        high=65536,
        live=True,
        meaning="Megabytes that all bodies together may take in each process while they are being received. Beyond it "
        "clients get 503 and try again.",
    )
    connections_per_address: int = setting(
        0,
        low=0,
        high=MAX_LIMIT,
        live=True,
        meaning="How many connections each client address may have open in each process; one more is closed at once. "
        "Of a client behind trusted proxies the requests in progress count in place of connections, and one more is "
        "answered 503. An IPv6 address counts as its /64. 0 is no limit.",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        live=True,
        meaning="Addresses and networks of proxies whose word about the client's address is trusted, such as "
        '["127.0.0.1", "10.0.0.0/8"].',
    )
    client_ip_header: str = setting(
        X_FORWARDED_FOR,
        check=address_header,
        live=True,
        meaning="In which header a trusted proxy says the client's address: x-forwarded-for or forwarded (RFC 7239), "
        "which are read from their end, through all trusted proxies; or one with a single address, such as x-real-ip "
        "or cf-connecting-ip, which the proxy must overwrite.",
    )
    root_order: tuple[str, ...] = setting(
        ("databuddy", "appizer", "tranthor", "browsee"),
        live=True,
        meaning="Which dialect answers a path at `/` that several claim: the first in this list. Dialects that are not "
        "in it follow by name.",
    )
    drain_seconds: float = setting(
        0.0,
        low=0,
        high=3600,
        live=True,
        meaning="Seconds for which a server that is stopped still takes requests while `/-/ready` answers 503, so that "
        "load balancers send it no more. Then it closes its address and finishes what it took.",
    )
    console: str = setting(
        "127.0.0.1:8081",
        check=console_address,
        meaning='Where the console listens, which `gateway serve` starts: HOST:PORT, or "off" for none. Put a proxy '
        "with https before it where it is to be reached from other machines.",
    )
    console_hosts: tuple[str, ...] = setting(
        (),
        check=host_names,
        live=True,
        meaning='Further host names under which browsers may ask for the console, such as ["gateway.example.com"]. '
        "Loopback, the host that it listens on, and that of public_url need not be named.",
    )
    public_url: str | None = setting(
        None,
        check=public_url,
        example="https://collect.example.com",
        live=True,
        meaning="Where clients reach the gateway, if that is not where it listens. It stands in what the first "
        "start prints, in the console's lines for an SDK's settings, and in OpenAPI documents.",
    )

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the addresses to listen on; none if `host` is off."""
        return listening_hosts(self.host)

    @property
    def scheme(self) -> str:
        """Return `https` where TLS is on, else `http`."""
        return "http" if self.tls_cert is None else "https"

    @property
    def url(self) -> str:
        """Return where the gateway listens, as far as the settings tell: of several addresses the first."""
        if self.hosts:
            return url_to(self.hosts[0], self.port, self.scheme)
        return "" if self.unix_socket is None else f"{UNIX_SCHEME}{self.unix_socket}"

    @property
    def console_address(self) -> tuple[str, int] | None:
        """Return the host and the port of `console`; None if it is off."""
        return console_address(self.console)

    @property
    def unfinished_bytes(self) -> int:
        """Return `unfinished_megabytes` in bytes."""
        return int(self.unfinished_megabytes * MEBIBYTE)
