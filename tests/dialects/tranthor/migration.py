"""What a team has that leaves Tranthor by docs/migrate/tranthor.md."""

from tests.dialects.tranthor.sdk import TRANTHOR_KEY, TRANTHOR_TOKEN
from tests.docs.migrate.migration import OWN, Migration

MIGRATION = Migration(
    values={"YOUR_WRITE_KEY": TRANTHOR_TOKEN},
    environ={"TRANTHOR_WRITE_KEY": TRANTHOR_KEY},
    packages={"@dittofeed/sdk-node": "dittofeed-node-0.1.2", "@dittofeed/sdk-web": "dittofeed-web-0.1.2"},
    stand_ins={"@tranthor/sdk-node": 'export { DittofeedSdk as TranthorSdk } from "@dittofeed/sdk-node";'},
    run={("Pages and React", "js"), (OWN, "text"), (OWN, "sh"), (OWN, "html")},
)
