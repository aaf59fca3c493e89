"""Where a database is: what a URL may be, its hosts, and what messages show of it."""

import pytest

from gateway.storage.postgres.connection.address import Address
from gateway.store_error import StoreError

REFUSED = (
    "the storage URL is not of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE; "
    "in a name or a password, escape / ? # @ [ ] % as %2F %3F %23 %40 %5B %5D %25"
)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://u:secret@db/shop", "postgresql://u@db/shop"),
        ("postgresql://u:p%2Fw@db:5433/shop?sslmode=require", "postgresql://u@db:5433/shop?sslmode=require"),
        ("postgres://u:a@b@[::1]:5433/shop", "postgres://u@[::1]:5433/shop"),
        ("postgresql://u@a,b:5433/shop", "postgresql://u@a,b:5433/shop"),
        ("postgresql://db/shop?user=u&password=secret@x", "postgresql://db/shop"),
        ("postgresql:///shop?host=/run/postgresql", "postgresql:///shop?host=/run/postgresql"),
        ("postgresql://%2Frun%2Fpostgresql/shop", "postgresql://%2Frun%2Fpostgresql/shop"),
        ("postgresql://", "postgresql://"),
    ],
)
def test_messages_show_a_url_without_its_password(url: str, name: str) -> None:
    assert Address(url).name == name


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:sec/ret@db/shop",
        "postgresql://u:123/secret@db/shop",
        "postgresql://u:sec#ret@db/shop",
        "postgresql://u:sec?ret@db/shop",
        "postgresql://u:123?secret=@db/shop",
        "postgresql://u:sec[ret]@db/shop",
        "postgresql://u:sec\u2100ret@db/shop",
        "postgresql:u:secret@db/shop",
        "postgresql:/u:secret@db/shop",
        "postgresql://u:secret@db:port/shop",
        "postgresql://u:secret@db:0/shop",
        "postgresql://u:secret@db:-1/shop",
        "postgresql://u:secret@db:65536/shop",
        "postgresql://u:secret@db/shop?port=x",
        "postgresql://u:secret@a..b/shop",
        f"postgresql://u:secret@{'a' * 64}/shop",
        "postgresql://u:secret@a,/shop",
        "postgresql://u:secret@[::1/shop",
        "postgresql://u:secret@db/shop?sslmode",
    ],
)
def test_a_url_that_is_none_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Address(url)
    assert str(refused.value) == REFUSED


def test_of_several_hosts_each_is_tried_alone() -> None:
    several = Address("postgresql://u:p@a,[::1]:5433,%2Frun:5434/shop")
    assert several.hosts() == [("a", 5432), ("::1", 5433), ("/run", 5434)]
    assert Address("postgresql:///shop?host=a,b&port=1,2").hosts() == [("a", 1), ("b", 2)]
    assert Address("postgresql:///shop?host=a,b&port=1").hosts() == [("a", 1), ("b", 1)]
    assert Address("postgresql://u:p@a/shop").hosts() == [None]
