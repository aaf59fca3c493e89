"""What a team has that leaves Databuddy by docs/migrate/databuddy.md."""

from tests.dialects.databuddy.sdk import DATABUDDY_KEY, DATABUDDY_SITE
from tests.docs.migrate.migration import OWN, Migration

MIGRATION = Migration(
    values={"YOUR_CLIENT_ID": DATABUDDY_SITE},
    environ={"DATABUDDY_API_KEY": DATABUDDY_KEY},
    cdn="https://cdn.databuddy.cc",
    packages={"@databuddy/sdk": "databuddy-2.6.0"},
    run={("A script tag", "html"), ("React and Next.js", "tsx"), ("Vue", "vue"), (OWN, "sh"), (OWN, "html")},
)
