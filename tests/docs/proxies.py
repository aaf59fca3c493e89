"""The proxies of the examples, started on loopback for the tests of them."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.docs.expectations import EXAMPLES, PATIENCE, program

TEMPORARY = "".join(f"{each}_temp_path temporary;" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certify(folder: Path) -> None:
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "privkey.pem")
    command = [program("openssl"), "req", "-x509", "-days", "2", *subject, *key, "-out", "fullchain.pem"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=PATIENCE, check=True)


def filled_in(example: Path, folder: Path, changes: Mapping[str, str]) -> Path:
    """Write a configuration into a folder, with texts of it replaced; each must occur in it once."""
    text = example.read_text("utf-8")
    for old, new in {**changes, "http {\n": f"http {{\n    {TEMPORARY}\n"}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(text, "utf-8")
    return file


@contextlib.contextmanager
def proxying(folder: Path, port: int, configuration: Path) -> Iterator[None]:
    """Run nginx with a configuration that listens on a port of loopback."""
    own = f"daemon off; pid {folder / 'nginx.pid'}; error_log {folder / 'error.log'};"
    with listening([program("nginx"), "-p", str(folder), "-c", str(configuration), "-g", own], port):
        yield


@contextlib.contextmanager
def nginx_with_tls(folder: Path, port: int, upstream: str) -> Iterator[None]:
    """Run the example for nginx with the ports and paths of a test."""
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "server 127.0.0.1:8080;": f"server {upstream};",
        "/etc/ssl/gateway/fullchain.pem": str(folder / "fullchain.pem"),
        "/etc/ssl/gateway/privkey.pem": str(folder / "privkey.pem"),
    }
    with proxying(folder, port, filled_in(EXAMPLES / "nginx.conf", folder, changes)):
        yield


@contextlib.contextmanager
def caddy_with_tls(folder: Path, port: int, upstream: str) -> Iterator[None]:
    """Run the example for Caddy as it stands, but with a certificate of this machine and no port beside its own."""
    text = (EXAMPLES / "Caddyfile").read_text("utf-8")
    site = "{$SITE:localhost} {\n"
    assert text.count(site) == 1
    tls = f"\tbind 127.0.0.1\n\ttls {folder / 'fullchain.pem'} {folder / 'privkey.pem'}\n"
    quiet = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    file = folder / "Caddyfile"
    file.write_text(quiet + text.replace(site, site + tls), "utf-8")
    env = {**os.environ, "SITE": f"https://localhost:{port}", "UPSTREAM": upstream, "HOME": str(folder)}
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
    with listening(command, port, {**env, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}):
        yield


@contextlib.contextmanager
def listening(command: list[str], port: int, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server as long as the block lasts, which begins when it listens on a port of loopback."""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for _ in range(PATIENCE * 10):
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None:
                    raise AssertionError(f"{command[0]} ended: {process.communicate()[0]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)
