import attrs

from gateway.keys.keyring import Grant
from gateway.operate.first_start import DialectCredential, FirstStart, make_keys, text
from gateway.storage.engines import open_store
from tests.kit.fake_dialect import API_KEY, dialect

NOW = 1767323045678


async def test_an_empty_store_gets_a_credential_a_dialect_and_an_admin_token(url: str) -> None:
    other = attrs.evolve(dialect, name="other")
    async with open_store(url).keys(make=True) as keys:
        made = await make_keys(keys, [dialect, other], NOW)
        assert [gift.dialect for gift in made.credentials] == [dialect, other]
        keyring = await keys.load()
        found = [keyring.find(gift.dialect.name, "api_key", gift.value) for gift in made.credentials]
        scopes = frozenset({"read", "write"})
        assert found == [Grant(record.id, "default", record.dialect, "api_key", scopes) for record in await keys.list()]
        assert made.admin_token is not None
        assert (await keys.admin()).verify(made.admin_token)


async def test_a_second_start_makes_nothing_and_says_nothing(url: str) -> None:
    async with open_store(url).keys(make=True) as keys:
        await make_keys(keys, [dialect], NOW)
        assert await make_keys(keys, [dialect], NOW) == FirstStart()
        assert len(await keys.list()) == 1
    assert text(FirstStart(), "http://127.0.0.1:8080") == ""


async def test_where_somebody_made_keys_before_only_the_admin_token_is_missing(url: str) -> None:
    async with open_store(url).keys(make=True) as keys:
        made = await keys.add("shop", dialect, API_KEY, now=NOW)
        welcome = await make_keys(keys, [dialect], NOW)
        assert (welcome.credentials, welcome.admin_token is None, await keys.list()) == ((), False, (made.record,))


def test_the_text_has_lines_to_copy() -> None:
    welcome = FirstStart((DialectCredential(dialect, "acme_1"),), "admin_2")
    assert text(welcome, "http://127.0.0.1:8080") == (
        "First start: project `default` has one credential per dialect. Only hashes are stored: copy them now.\n"
        "`gateway keys add --value ...` adds the keys that your SDKs use already.\n"
        "\n"
        "Acme (api_key: acme_1)\n"
        "  in the SDK's settings:\n"
        '    init({"key": "acme_1", "url": "http://127.0.0.1:8080"})\n'
        "  to try it:\n"
        "    curl http://127.0.0.1:8080/acme -H 'x-key: acme_1' -d '{}'\n"
        "\n"
        "Admin token, shown only once (`gateway admin-token` creates a new one):\n"
        "\n"
        "  admin_2\n"
    )


def test_secrets_are_not_in_a_repr() -> None:
    shown = repr(FirstStart((DialectCredential(dialect, "acme_1"),), "admin_2"))
    assert ("acme_1" in shown, "admin_2" in shown) == (False, False)
