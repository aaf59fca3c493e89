"""The script that stands in for the vendor's recorder in web pages, as bytes to serve."""

from importlib import resources

NAME = "browsee.js"


def shim() -> bytes:
    """Return the script; the gateway serves it at `/-/shim/browsee.js`."""
    return resources.files("dialects.browsee").joinpath("shim.js").read_bytes()
