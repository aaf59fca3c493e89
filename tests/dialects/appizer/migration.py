"""What a team has that leaves Appizer by docs/migrate/appizer.md."""

from tests.dialects.appizer.sdk import APPIZER_APP, APPIZER_KEY
from tests.docs.migrate.migration import OWN, Migration

MIGRATION = Migration(
    values={"YOUR_APP_ID": APPIZER_APP},
    environ={"APPIZER_API_KEY": APPIZER_KEY},
    cdn="https://cdn.appizer.com",
    run={("A page", "html"), ("A page", "js"), ("Python", "python"), (OWN, "sh"), (OWN, "html")},
)
