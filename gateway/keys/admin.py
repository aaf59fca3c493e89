"""What the admin token is checked against. No storage here."""

import hmac
import secrets

import attrs

from gateway.keys.keyring import digest


@attrs.frozen
class Admin:
    """What an admin token is checked against. `hash` is None until the first token is created."""

    salt: bytes = attrs.field(repr=False)
    hash: bytes | None = attrs.field(repr=False)

    def verify(self, token: str) -> bool:
        """Return whether this is the admin token. Compares in constant time."""
        return self.hash is not None and hmac.compare_digest(admin_hash(self.salt, token), self.hash)


def admin_hash(salt: bytes, token: str) -> bytes:
    """Return the hash under which the admin token is stored."""
    return digest(salt, "", "admin", token)


def new_token() -> str:
    """Return a new random admin token."""
    return "admin_" + secrets.token_hex(24)
