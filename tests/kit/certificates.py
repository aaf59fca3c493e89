"""Certificates for tests, made by the openssl command."""

import ssl
import subprocess
from pathlib import Path

import attrs


@attrs.frozen
class Pair:
    """A certificate for loopback that signs itself, and its key."""

    certificate: Path
    key: Path


def certificate(folder: Path, name: str = "localhost") -> Pair:
    """Make one in a folder, in files of this name."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    made = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    named = ("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1")
    openssl(*made, *named, "-out", str(pair.certificate), "-keyout", str(pair.key))
    return pair


def client(*pairs: Pair) -> ssl.SSLContext:
    """Return a client's context that trusts these certificates alone."""
    context = ssl.create_default_context()
    for pair in pairs:
        context.load_verify_locations(pair.certificate)
    return context


def openssl(*arguments: str) -> None:
    """Run the openssl command."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
