import subprocess
import sys
from pathlib import Path

import aiohttp

from tests.docs.expectations import EXAMPLES, PATIENCE, make_key
from tests.kit.serving import LAST_POSITION, serving

COUNTED = """\
  export events.db  project, name
       1         1  default, identify
       2         2  default, opened
       1         1  shop, opened
"""


def read(data: Path) -> tuple[int, str, str]:
    command = [sys.executable, str(EXAMPLES / "read_events.py"), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout, LAST_POSITION.sub("", done.stderr)


async def test_it_counts_the_same_in_the_export_and_in_the_file_with_a_server_running_and_without(
    tmp_path: Path,
) -> None:
    data = tmp_path / "a directory #1?"
    key, shop = (make_key(data, "browsee", "api_key", project=project) for project in ("default", "shop"))
    with serving(data) as served:
        calls = [("identify", {"apiKey": key})] + [
            ("track", {"apiKey": each, "event": "opened"}) for each in (key, key, shop)
        ]
        async with aiohttp.ClientSession() as session:
            for route, call in calls:
                async with session.post(f"{served.url}/api/v1/{route}", json={**call, "anonymousId": "a-1"}) as answer:
                    assert answer.status == 200
        assert read(data) == (0, COUNTED, "")
        assert served.stop() == 0
        assert read(data) == (0, COUNTED, "")


def test_it_says_that_a_directory_holds_no_events(tmp_path: Path) -> None:
    code, output, error = read(tmp_path)
    assert (code, output) == (1, "")
    assert error == (
        f"Error: {tmp_path} holds no events yet; is it the directory that `gateway serve --data` was given?\n"
    )
