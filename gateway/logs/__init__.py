"""How the gateway's processes log: one line a record, and a count a minute where many would say the same."""

from gateway.logs.lines import JSON, MAIN, TEXT, configure, facts

__all__ = ["JSON", "MAIN", "TEXT", "configure", "facts"]
