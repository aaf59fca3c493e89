"""Which headers and fields hold a secret, say who a person is, or tell a client's address, by their names. Pure."""

import re

COMMON_SECRET_FIELDS = (
    *("apiKey", "api_key", "api-key", "x-api-key", "writeKey", "write_key", "accessKey", "access_key"),
    *("x_api_key", "apiToken", "api_token", "secretAccessKey", "secret_access_key", "aws_secret_access_key"),
    *("pwd", "passphrase", "passcode", "credential"),
    *("clientSecret", "client_secret", "secretKey", "secret_key", "privateKey", "private_key"),
    *("accessToken", "access_token", "refreshToken", "refresh_token", "idToken", "id_token", "authToken", "auth_token"),
    *("key", "token", "jwt", "secret", "password", "passwd", "authorization", "bearer", "cookie", "credentials"),
)
"""Fields of a body or a query that nobody's public id needs; their case does not matter."""

_SECRET = re.compile(
    "key|token|secret|auth|passw|pwd|cookie|jwt|assertion|oidc|saml|credential|signature|csrf|xsrf|dpop"
)
_NO_SECRETS = ("idempotency-key",)
# What proxies that log people in say about them: oauth2-proxy, Authelia, Azure, Tailscale, Vouch, Pomerium, ...
_IDENTITY = re.compile(
    "principal|identity|userinfo|username|claim|remote-name|remote-group|forwarded-group|session|client-?cert"
)
_PERSON = frozenset({"user", "users", "email", "dn", "upn", "login"})
_ADDRESS = frozenset({"ip", "ips", "ipv4", "ipv6", "addr", "address"})
_ENDS_OF_ADDRESS = ("clientip", "clientipv6", "socketip", "remoteip", "realip", "userip")


def is_secret(name: str) -> bool:
    """Return whether a header or a cookie, by its name in lower case, holds a secret."""
    return _SECRET.search(name) is not None and name not in _NO_SECRETS


def is_identity(name: str) -> bool:
    """Return whether a header, by its name in lower case, says who a person is. Access proxies add such headers.

    Its value is not kept, but may stand elsewhere: an analytics session's id is no secret.
    """
    if name == "user-agent":
        return False
    return _IDENTITY.search(name) is not None or not _PERSON.isdisjoint(_words(name))


def is_address(name: str) -> bool:
    """Return whether a header, by its name in lower case, tells the client's address. Every proxy has its own."""
    if "forwarded" in name or "proxied-for" in name:
        return True
    words = _words(name)
    return not _ADDRESS.isdisjoint(words) or any(word.endswith(_ENDS_OF_ADDRESS) for word in words)


def _words(name: str) -> list[str]:
    return name.replace("_", "-").split("-")
