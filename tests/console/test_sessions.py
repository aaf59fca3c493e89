"""Sessions, links and wrong tokens, on a clock that the test sets."""

import asyncio

import pytest

from gateway.console.sessions import (
    LINK_MS,
    MAX_LINKS,
    MAX_SESSIONS,
    SESSION_MS,
    WRONG_MS,
    WRONG_TOKENS,
    Access,
    Locked,
    Session,
)
from gateway.keys.admin import Admin, admin_hash

SALT = b"s" * 16


class Clock:
    """Milliseconds, as the test has them."""

    def __init__(self) -> None:
        self.now = 1_767_323_045_000

    def __call__(self) -> int:
        return self.now


def admin(token: str) -> Admin:
    return Admin(SALT, admin_hash(SALT, token))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access(admin("right"), clock)


def test_a_session_lasts_twelve_hours(access: Access, clock: Clock) -> None:
    cookie, session = access.log_in()
    clock.now += SESSION_MS - 1
    assert access.session(cookie) is session
    clock.now += 1
    assert access.session(cookie) is None


def test_a_session_ends_by_logging_out_and_no_other_does(access: Access) -> None:
    (first, _), (second, session) = access.log_in(), access.log_in()
    access.log_out(first)
    assert (access.session(first), access.session(second)) == (None, session)


def test_no_cookie_or_another_one_is_no_session(access: Access) -> None:
    access.log_in()
    assert [access.session(cookie) for cookie in (None, "", "x", "\udce4")] == [None] * 4


def test_so_many_sessions_are_kept_and_the_oldest_goes(access: Access) -> None:
    cookies = [access.log_in()[0] for _ in range(MAX_SESSIONS + 2)]
    assert [access.session(cookie) is None for cookie in cookies] == [True, True] + [False] * MAX_SESSIONS


def test_a_new_token_ends_all_sessions_and_links_and_the_same_one_none(access: Access) -> None:
    (cookie, session), link = access.log_in(), access.make_link()
    access.renew(admin("right"))
    assert (access.session(cookie), access.is_link(link)) == (session, True)
    access.renew(admin("other"))
    assert (access.session(cookie), access.is_link(link)) == (None, False)
    assert (access.check_token("right"), access.check_token("other")) == (False, True)


def test_a_link_is_used_once(access: Access) -> None:
    link = access.make_link()
    assert (access.is_link(link), access.is_link(link)) == (True, True)  # a look does not use it up
    assert (access.use_link(link), access.use_link(link), access.is_link(link)) == (True, False, False)


def test_a_link_is_gone_in_ten_minutes(access: Access, clock: Clock) -> None:
    link = access.make_link()
    clock.now += LINK_MS
    assert (access.is_link(link), access.use_link(link)) == (False, False)


def test_so_many_links_are_kept(access: Access) -> None:
    links = [access.make_link() for _ in range(MAX_LINKS + 1)]
    assert [access.use_link(link) for link in links] == [False] + [True] * MAX_LINKS


def test_after_five_wrong_tokens_none_is_looked_at_for_the_rest_of_a_minute(access: Access, clock: Clock) -> None:
    for _ in range(WRONG_TOKENS):
        assert access.check_token("wrong") is False
        clock.now += 1000
    for token in ("wrong", "right"):
        with pytest.raises(Locked) as told:
            access.check_token(token)
        assert (told.value.seconds, str(told.value)) == (55, "too many wrong tokens; try again in 55 s")
    clock.now += 55_000
    assert access.check_token("right") is True


def test_what_is_tried_while_it_is_locked_does_not_lengthen_the_lock(access: Access, clock: Clock) -> None:
    for _ in range(WRONG_TOKENS):
        access.check_token("wrong")
    for _ in range(50):
        clock.now += 1000
        with pytest.raises(Locked):
            access.check_token("wrong")
    clock.now += WRONG_MS - 50_000
    assert access.check_token("right") is True


def test_sessions_links_and_a_new_token_are_the_ways_in_while_it_is_locked(access: Access) -> None:
    (cookie, session), link = access.log_in(), access.make_link()
    for _ in range(WRONG_TOKENS):
        access.check_token("wrong")
    assert (access.session(cookie), access.use_link(link)) == (session, True)
    access.renew(admin("other"))
    assert access.check_token("other") is True


def test_a_clock_that_is_set_back_locks_nobody_out(access: Access, clock: Clock) -> None:
    for _ in range(WRONG_TOKENS):
        access.check_token("wrong")
    clock.now -= 86_400_000
    assert access.check_token("right") is True


def test_a_store_without_a_token_lets_no_token_in(clock: Clock) -> None:
    assert Access(Admin(SALT, None), clock).check_token("") is False


def test_a_session_keeps_few_and_short_notices_and_gives_each_once() -> None:
    session = Session("csrf", 0)
    for number in range(10):
        session.notice(str(number) * 1000, "bad")
    taken = session.take_notices()
    assert [(kind, text[0], len(text)) for kind, text in taken] == [("bad", str(n), 500) for n in range(6, 10)]
    assert session.take_notices() == []


@pytest.mark.parametrize("how", ["by logging out", "by a new token", "by its age"])
async def test_what_streams_ends_with_its_session(access: Access, clock: Clock, how: str) -> None:
    cookie, session = access.log_in()
    clock.now += SESSION_MS - (20 if how == "by its age" else 10_000)
    begun = asyncio.Event()

    async def stream() -> None:
        with access.streaming(session):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stream())
    await begun.wait()
    if how == "by logging out":
        access.log_out(cookie)
    elif how == "by a new token":
        access.renew(admin("other"))
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)


def test_no_token_is_no_try(access: Access) -> None:
    assert [access.check_token("") for _ in range(WRONG_TOKENS + 1)] == [False] * (WRONG_TOKENS + 1)
    assert access.check_token("right") is True
