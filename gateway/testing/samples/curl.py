"""The request that a curl command sends, read from its words. Pure."""

import argparse
import base64
import shlex
from typing import NoReturn
from urllib.parse import urlsplit

from gateway.testing.corpus.message import SentRequest

FORM = "application/x-www-form-urlencoded"
FLAGS = ("-i", "-s", "-S", "-v", "-k", "-L", "-f", "-g", "-N")
UNUSED = ("-o", "-m", "-w", "-b")
"""Options with a value that say nothing of the request, or nothing that a dialect reads."""


def request_of(command: str, url: str) -> SentRequest:
    """Return the request that a curl command sends to the server of a URL. Raises ValueError."""
    first, *words = shlex.split(command) or [""]
    if first != "curl":
        raise ValueError("it does not begin with curl")
    given, _ = _parser().parse_known_args(words)
    if not given.url.startswith(url):
        raise ValueError(f"it sends to {given.url or 'no URL'}, not to {{url}}")
    headers = {name.strip(): text.strip() for name, _, text in (line.partition(":") for line in given.headers)}
    if given.user:
        headers["Authorization"] = f"Basic {base64.b64encode(given.user.encode()).decode()}"
    if given.agent:
        headers["User-Agent"] = given.agent
    if given.data and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = FORM
    split = urlsplit(given.url)
    target = split._replace(scheme="", netloc="", fragment="", path=split.path or "/").geturl()
    method = given.method or ("POST" if given.data else "GET")
    return SentRequest(method, target, headers, "&".join(given.data).encode())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("curl", add_help=False, allow_abbrev=False)
    parser.add_argument("url", nargs="?", default="")
    parser.add_argument("-X", "--request", dest="method")
    parser.add_argument("-H", "--header", dest="headers", action="append", default=[])
    parser.add_argument("-d", "--data", "--data-raw", "--data-binary", dest="data", action="append", default=[])
    parser.add_argument("-u", "--user")
    parser.add_argument("-A", "--user-agent", dest="agent")
    for flag in FLAGS:
        parser.add_argument(flag, action="store_true")
    for option in UNUSED:
        parser.add_argument(option)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)
