"""What a request shows to prove who sends it: a key in a header."""

from gateway.dialect import Credential, CredentialKind, CredentialPlace, Request

HEADER = "x-quill-key"
API_KEY = CredentialKind("api_key", "quill_{token}", places=(CredentialPlace("header", "X-Quill-Key"),))


def find(request: Request) -> tuple[Credential, ...]:
    """Return the key of a request; nothing without one."""
    key = request.headers.get(HEADER)
    return (Credential(API_KEY.name, key),) if key else ()
