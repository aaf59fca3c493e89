"""What a request shows to prove who sends it: the project's key, in the body's field `apiKey` (documented).

There is no other place for it. The key stands in the page's source, so it names a project and is no secret, but it is
removed from every event.
"""

from gateway.dialect import Credential, CredentialKind, CredentialPlace

FIELD = "apiKey"
API_KEY = CredentialKind("api_key", template="{token}", places=(CredentialPlace("body", FIELD),))


def find(body: object) -> tuple[Credential, ...]:
    """Return the key of a decoded body, as a tuple of one; empty without a key that is a text."""
    key = body.get(FIELD) if isinstance(body, dict) else None
    return (Credential(API_KEY.name, key),) if isinstance(key, str) and key else ()
