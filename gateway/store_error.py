"""The errors of a store that cannot be used, whatever its engine. Nothing else."""


class StoreError(Exception):
    """A store that cannot be opened, read or upgraded. The message is one line for the operator."""


class EmptyStore(StoreError):
    """A store in which no gateway has kept anything yet."""
