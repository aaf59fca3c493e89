"""What a team has that leaves Browsee by docs/migrate/browsee.md."""

from tests.dialects.browsee.sdk import BROWSEE_KEY
from tests.docs.migrate.migration import OWN, Migration

MIGRATION = Migration(
    values={"YOUR_API_KEY": BROWSEE_KEY, "YOUR_NONCE": "r4nd0m"},
    run={("The snippet", "html"), ("The snippet", "js"), ("The package", "html"), (OWN, "sh"), (OWN, "html")},
)
