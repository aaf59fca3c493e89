"""The old name of `gateway.dialect.value_class`, kept for dialects written before 0.2."""

from gateway.dialect.value_class import value_class as record

__all__ = ["record"]
