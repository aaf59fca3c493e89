"""atheris over decode.py: `python -m tests.fuzz.decoder -max_total_time=600` is the long form.

Whatever the bytes, decode gives a value or Undecodable, and what it gives can be examined and written again; a value
without flaws reads back as it was.
"""

import sys

import atheris  # type: ignore[import-untyped]  # it has no type information

with atheris.instrument_imports(include=["gateway.dialect.decode"], enable_loader_override=False):
    from gateway.dialect.decode import Undecodable, decode, flaws, rewrite
    from gateway.dialect.mend import mend

MOST = 4096
KNOWN = {"empty", "malformed", "invalid_utf8", "too_deep"}


def check(body: bytes) -> None:
    """Raise on anything that decode.py does not promise."""
    try:
        value = decode(body)
    except Undecodable as problem:
        if problem.fault.code not in KNOWN:
            raise
        return
    found = flaws(value)
    mend(value)
    written = rewrite(value)
    assert found or decode(written) == value


if __name__ == "__main__":
    atheris.Setup([*sys.argv, f"-max_len={MOST}"], check)
    atheris.Fuzz()
