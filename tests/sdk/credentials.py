"""The credentials of the team whose SDKs are repointed: what stands in its code, and so in the gateway's key file."""

from tests.sdk.site import HOST

DATABUDDY_KEY = "dbdy_0123456789abcdef0123456789abcdef0123456789abcdef"
DATABUDDY_SITE = "550e8400-e29b-41d4-a716-446655440000"
DATABUDDY_OTHERS_SITE = "22222222-2222-4222-8222-222222222222"  # allowed on a page that is not ours
APPIZER_KEY = "ak_0123456789abcdef0123456789abcdef"
APPIZER_READER = "ak_ffffffffffffffffffffffffffffffff"  # may not write
APPIZER_APP = "shop-web"  # allowed on our own page only
APPIZER_OTHERS_APP = "blog-web"
TRANTHOR_TOKEN = "MTExMTExMTEtMTExMS00MTExLTgxMTEtMTExMTExMTExMTExOjAxMjM0NTY3ODlhYmNkZWY="
TRANTHOR_KEY = f"Basic {TRANTHOR_TOKEN}"  # as an SDK has it
BROWSEE_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef"

KEYS = (
    ("databuddy", "api_key", DATABUDDY_KEY),
    ("databuddy", "website", DATABUDDY_SITE),
    ("databuddy", "website", DATABUDDY_OTHERS_SITE, "--origin", "blog.example.test"),
    ("appizer", "api_key", APPIZER_KEY),
    ("appizer", "api_key", APPIZER_READER, "--scope", "read"),
    ("appizer", "app", APPIZER_APP, "--origin", HOST),
    ("appizer", "app", APPIZER_OTHERS_APP, "--origin", "blog.example.test"),
    ("tranthor", "write_key", TRANTHOR_TOKEN),
    ("browsee", "api_key", BROWSEE_KEY),
)
"""Dialect, kind, value and further options of `gateway keys add`."""
