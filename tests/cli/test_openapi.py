"""`gateway openapi`: what it prints, for the installed dialects and for one of another distribution."""

import json
from pathlib import Path

from tests.kit.serving import run

TOY = Path(__file__).parents[1] / "toy"


def told(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = run("openapi", *arguments, env=env)
    return done.returncode, done.stdout, done.stderr


def test_a_document_is_printed_for_the_address_that_the_server_listens_on() -> None:
    code, out, err = told("browsee", env={"GATEWAY_HOST": "0.0.0.0", "GATEWAY_PORT": "9000"})
    found = json.loads(out)
    assert (code, err, found["openapi"], list(found["paths"])) == (
        0,
        "",
        "3.1.0",
        ["/api/v1/track", "/api/v1/identify"],
    )
    assert [server["url"] for server in found["servers"]] == ["http://localhost:9000", "http://localhost:9000/browsee"]


def test_a_document_names_the_url_that_it_is_given_and_follows_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[hosts]\n"in.shop.example" = "tranthor"\n[dialects.tranthor]\nstrict_batches = true\n')
    code, out, err = told("tranthor", "--url", "https://collect.example/", "--config", str(file))
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert [server["url"] for server in found["servers"]] == [
        "https://collect.example",
        "https://collect.example/tranthor",
        "https://in.shop.example",
    ]
    batch = found["paths"]["/api/public/apps/batch"]["post"]["description"]
    assert batch.startswith("One invalid item rejects the whole request")


def test_an_unknown_dialect_and_one_that_is_off_are_told_in_one_line(tmp_path: Path) -> None:
    assert told("tranthr") == (1, "", "Error: there is no dialect 'tranthr'; did you mean tranthor?\n")
    file = tmp_path / "gateway.toml"
    file.write_text("[dialects.browsee]\nenabled = false\n")
    said = "Error: the dialect browsee is switched off by dialects.browsee.enabled\n"
    assert told("browsee", "--config", str(file)) == (1, "", said)
    code, out, err = told()
    assert (code, out, err.splitlines()[-1]) == (2, "", "Error: Missing argument 'DIALECT'.")


def test_a_dialect_of_another_distribution_has_a_document() -> None:
    code, out, err = told("toy", env={"PYTHONPATH": str(TOY)})
    found = json.loads(out)
    assert (code, err, list(found["paths"]), list(found["components"]["schemas"])) == (
        0,
        "",
        ["/toy-api/v0/ping"],
        ["ping"],
    )
    operation = found["paths"]["/toy-api/v0/ping"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ping"}
    assert {status: list(answer.get("content", {})) for status, answer in operation["responses"].items()} == {
        "2XX": [],
        "422": ["application/json"],
    }
