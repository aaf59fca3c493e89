"""Which user agents are known crawlers', by the list of the package crawler-user-agents. Loaded only when asked.

The list names HTTP libraries too; they are left out, for server SDKs send by way of them.
"""

import re
from collections.abc import Callable
from functools import lru_cache

MAX_LENGTH = 512  # a crawler names itself at the beginning; more would only cost time
REMEMBERED = 20_000  # one that is not remembered costs 0.3 ms: 1,500 patterns are looked for
TOGETHER = 25  # patterns in one expression: more of them are slower, whatever their number


def known_bots() -> Callable[[str], bool]:
    """Return what tells whether a user agent is a known crawler's."""
    # The package has no type information.
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA as LIST  # type: ignore[import-untyped]

    patterns = [str(each["pattern"]) for each in LIST if "http-library" not in each.get("tags", ())]
    parts = [patterns[start : start + TOGETHER] for start in range(0, len(patterns), TOGETHER)]
    compiled = [re.compile("|".join(part)) for part in parts]

    @lru_cache(maxsize=REMEMBERED)
    def is_bot(user_agent: str) -> bool:
        return any(each.search(user_agent) for each in compiled)

    return lambda user_agent: is_bot(user_agent[:MAX_LENGTH])
