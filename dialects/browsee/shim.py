"""The script that pages load from the gateway in the place of the vendor's recorder, as bytes to serve."""

from importlib import resources

NAME = "browsee.js"


def shim() -> bytes:
    """Return the script. The gateway serves it at `/-/shim/browsee.js`."""
    return resources.files("dialects.browsee").joinpath("shim.js").read_bytes()
