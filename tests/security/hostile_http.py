"""The worst heads of requests that we know, and the worst ways to send a body, whatever its dialect. No IO here."""

import gzip
from collections.abc import Callable, Mapping

from tests.faults.traffic import Keys
from tests.faults.wire import request
from tests.kit.bounds import KIB, MIB, Hostile

HEAD = 60 * KIB
CAP = 2 * MIB
SPARE = 400  # bytes of a body for what stands around its large part


def _key(keys: Keys) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys['databuddy']}"}


def head(path: str, *, method: str = "POST", body: object = b"{}", **named: str) -> Callable[[Keys], Hostile]:
    headers = {name.replace("_", "-"): value for name, value in named.items()}

    def made(keys: Keys) -> Hostile:
        raw = request(path, body, {**_key(keys), **headers}, method)
        return Hostile(raw, len(raw), 1)

    return made


MANY_PARAMETERS = "".join(f"&{at:x}" for at in range(20_000))[:HEAD]
HEADS: Mapping[str, Callable[[Keys], Hostile]] = {
    "head: 250 headers of 200 bytes": head("/track", **{f"X_{at}": "y" * 200 for at in range(250)}),
    "head: 250 headers that look secret": head("/track", **{f"X_Token_{at}": f"{at:06d}" * 33 for at in range(250)}),
    "head: words that look secret": head("/track", X_Token=" ".join(f"{at:08x}" for at in range(HEAD // 9))),
    "head: short words that look secret": head("/track", X_Api_Key="abcd " * (HEAD // 5)),
    "head: 20,000 parameters": head(f"/track?{MANY_PARAMETERS}"),
    "head: 20,000 parameters on a path that nobody has": head(f"/nowhere?{MANY_PARAMETERS}"),
    "head: parameters that look secret": head("/track?" + "&".join(f"token={at:x}" for at in range(HEAD // 12))),
    "head: a query of escapes": head("/track?a=" + "%41" * (HEAD // 3)),
    "head: a query of broken escapes": head("/track?a=" + "%ff" * (HEAD // 3)),
    "head: a path of escapes": head("/" + "%2f" * (HEAD // 3)),
    "head: a path of slashes": head("/track" + "/" * HEAD),
    "head: a path of segments": head("/appizer" + "/a" * (HEAD // 2)),
    "head: a path of dots": head("/track" + "/.." * (HEAD // 3)),
    "head: a path of letters": head("/api/public/apps/" + "a" * HEAD),
    "head: a cookie": head("/track", Cookie="; ".join(f"a{at}=b" for at in range(HEAD // 9))),
    "head: forwarded for 10,000": head("/track", X_Forwarded_For=",".join(["1.2.3"] * 10_000)),
    "head: forwarded for 7,500 trusted proxies": head("/track", X_Forwarded_For=",".join(["10.0.0.1"] * 6800)),
    "head: an Idempotency-Key": head("/track", Idempotency_Key="k" * HEAD),
    "head: a Content-Type": head("/track", Content_Type="multipart/form-data; boundary=" + "-" * HEAD),
    "head: parameters of a Content-Type": head("/track", Content_Type="text/plain" + ";a=b" * (HEAD // 4)),
    "head: codings": head("/track", Content_Encoding=",".join(["gzip"] * (HEAD // 5))),
    "head: a User-Agent": head("/track", User_Agent="Mozilla/5.0 (" * (HEAD // 13), Origin="https://a.example"),
    "head: an Origin": head("/track", Origin="https://" + "a." * (HEAD // 2)),
    "head: an Origin of other letters": head("/track", Origin="https://" + "xn--a." * (HEAD // 6)),
    "head: a Referer": head("/track", Referer="https://a.example/?" + "token=a&" * (HEAD // 8)),
    "head: an Authorization": head("/v1/events", Authorization="Bearer " + "a" * HEAD),
    "head: an Authorization of words": head("/v1/events", Authorization="Bearer " + "a " * (HEAD // 2)),
    "head: an Authorization in base64": head("/api/public/apps/track", Authorization="Basic " + "QUFB" * (HEAD // 4)),
    "head: a preflight for 10,000 headers": head(
        "/track",
        method="OPTIONS",
        body=None,
        Origin="https://a.example",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers=",".join(f"x-{at}" for at in range(8000)),
    ),
    "head: a Host": lambda keys: Hostile(
        request("/track", b"{}").replace(b"Host: gateway", b"Host: " + b"a" * HEAD), HEAD, 1
    ),
}
"""Heads of nearly the size that is read."""


def _chunked(path: str, chunks: bytes, size: int, **more: str) -> Callable[[Keys], Hostile]:
    def made(keys: Keys) -> Hostile:
        headers = {**_key(keys), **more, "Transfer-Encoding": "chunked"}
        return Hostile(request(path, None, headers, "POST") + chunks, size, 1)

    return made


def _coded(body: Callable[[], bytes], coding: str = "gzip", size: int = CAP) -> Callable[[Keys], Hostile]:
    def made(keys: Keys) -> Hostile:
        headers = {**_key(keys), "Content-Encoding": coding}
        return Hostile(request("/track", body(), headers), size, 1)

    return made


BOMB = 200 * MIB
WIRE: Mapping[str, Callable[[Keys], Hostile]] = {
    "wire: chunks of a byte": _chunked("/track", b"1\r\nx\r\n" * (2 * MIB) + b"0\r\n\r\n", 2 * MIB),
    "wire: chunks of two bytes": _chunked("/track", b"2\r\nxx\r\n" * MIB + b"0\r\n\r\n", 2 * MIB),
    "wire: chunks with extensions": _chunked("/track", (b"1;" + b"e" * 900 + b"\r\nx\r\n") * 20_000, 2 * MIB),
    "wire: chunks that nobody wants": _chunked("/-/healthy", b"1\r\nx\r\n" * (2 * MIB), 2 * MIB),
    "wire: trailers": _chunked("/track", b"1\r\nx\r\n0\r\n" + b"X-Leak: 1\r\n" * 200_000, 2 * MIB),
    "wire: sizes of chunks with zeros": _chunked("/track", (b"0" * 900 + b"1\r\nx\r\n") * 20_000, 2 * MIB),
    "wire: a bomb": _coded(lambda: gzip.compress(b" " * BOMB, 6)),
    "wire: a bomb in a bomb": _coded(lambda: gzip.compress(gzip.compress(b" " * BOMB)), "gzip, gzip"),
    "wire: a hundred thousand members": _coded(lambda: gzip.compress(b"") * 100_000),
    "wire: 128 members of 15 KiB": _coded(lambda: gzip.compress(b" " * 15 * KIB) * 128),
    "wire: members that do not fit": _coded(lambda: gzip.compress(b" " * MIB) * 128),
    "wire: a member behind random bytes": _coded(lambda: gzip.compress(b"{}") + b"\x1f\x8b" * MIB),
    "wire: no coding": _coded(lambda: b"x" * (2 * MIB - SPARE)),
    "wire: four codings": _coded(lambda: gzip.compress(b" " * MIB), "gzip,deflate,gzip,deflate"),
    "wire: raw blocks": _coded(lambda: b"\x00\x00\x00\xff\xff" * 400_000, "deflate"),
}
"""What is large only in how it is sent, or only once it is decompressed."""
