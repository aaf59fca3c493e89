"""Known bots, by the list in the package crawler-user-agents. It is loaded only if a project filters bots.

The HTTP libraries in that list are left out, because server SDKs use them.
"""

import hashlib
import re
from collections.abc import Callable

MAX_LENGTH = 512  # characters of a user agent that are searched: a crawler names itself at the beginning
MAX_REMEMBERED = 20_000  # user agents; one that is not remembered costs 0.3 ms, for 1,500 patterns
PATTERNS_AT_ONCE = 25  # in one expression; larger ones are slower


def known_bots() -> Callable[[str], bool]:
    """Return a function that says whether a user agent is a known crawler's."""
    # The package has no type information.
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA as LIST  # type: ignore[import-untyped]

    patterns = [str(each["pattern"]) for each in LIST if "http-library" not in each.get("tags", ())]
    parts = [patterns[start : start + PATTERNS_AT_ONCE] for start in range(0, len(patterns), PATTERNS_AT_ONCE)]
    compiled = [re.compile("|".join(part)) for part in parts]

    remembered: dict[bytes, bool] = {}

    def is_bot(user_agent: str) -> bool:
        searched = user_agent[:MAX_LENGTH]
        # A digest, so that no stranger's words stay in memory.
        key = hashlib.blake2b(searched.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = remembered.get(key)
        if known is None:
            if len(remembered) >= MAX_REMEMBERED:
                remembered.clear()
            known = remembered[key] = any(each.search(searched) for each in compiled)
        return known

    return is_bot
