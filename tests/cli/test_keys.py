import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.dialect.timestamps import from_millis
from gateway.ingest.registry import discover
from gateway.keys.keyring import Grant
from gateway.storage.sqlite.keys.key_file import KeyFile
from tests.cli.ends import on_a_terminal
from tests.kit.serving import run

SCOPES = frozenset({"track:events", "write:llm"})
VALUE = "dbdy_0123456789abcdef"
DIALECTS = [dialect.name for dialect in discover()]


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "data"
    path.mkdir()
    return str(path)


def told(*arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
    done = run(*arguments, stdin=stdin)
    return done.returncode, done.stdout, done.stderr


def added(data: str, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
    code, out, err = told("keys", "add", "--data", data, "--json", *arguments, stdin=stdin)
    assert (code, err, out.count("\n")) == (0, "", 1)
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def known(data: str, value: str, dialect: str = "databuddy", kind: str = "api_key") -> Grant | None:
    with KeyFile.open(Path(data) / "keys.db") as keys:
        return keys.load().find(dialect, kind, value)


def test_add_takes_a_value_that_is_there_already(data: str) -> None:
    made = added(data, "--project", "shop", "--dialect", "databuddy", "--kind", "api_key", "--value", VALUE)
    assert list(made) == ["id", "project", "dialect", "kind", "value"]
    assert made == {"id": made["id"], "project": "shop", "dialect": "databuddy", "kind": "api_key", "value": VALUE}
    assert known(data, VALUE) == Grant(made["id"], "shop", "databuddy", "api_key", SCOPES)


def test_add_takes_a_value_from_standard_input(data: str) -> None:
    made = added(data, "--dialect", "databuddy", "--value-stdin", stdin=VALUE + "\n")
    assert (made["value"], made["project"], made["kind"]) == (VALUE, "default", "api_key")


def test_what_editors_and_shells_add_to_a_value_is_taken_off(data: str) -> None:
    for sent in (f"\ufeff{VALUE}", f"{VALUE}\r\n", f"\ufeff{VALUE}\n"):
        assert added(data, "--dialect", "databuddy", "--value-stdin", stdin=sent)["value"] == VALUE


def test_a_value_without_end_is_refused_and_makes_no_file(data: str) -> None:
    adding = ("keys", "add", "--data", data, "--dialect", "databuddy", "--value-stdin")
    said = "Error: the value of the api_key has 65537 characters; at most 512 are allowed\n"
    assert told(*adding, stdin="a" * 10_000_000) == (1, "", said)
    assert list(Path(data).iterdir()) == []


def test_add_makes_a_value_and_says_it_to_people_too(data: str) -> None:
    code, out, err = told("keys", "add", "--data", data, "--dialect", "databuddy", "--kind", "website")
    said = r"id       key_\w{12}\nproject  default\ndialect  databuddy\nkind     website\nvalue    (\S+)\n"
    match = re.fullmatch(said, out)
    assert (code, err, match is not None) == (0, "", True)
    assert match is not None
    assert known(data, match[1], kind="website") is not None


def test_scopes_and_origins_may_be_named_more_than_once(data: str) -> None:
    named = ("--scope", "write:llm", "--origin", "https://Shop.example/", "--origin", "*.blog.example")
    made = added(data, "--dialect", "databuddy", "--value", VALUE, *named)
    expected = Grant(
        made["id"],
        "default",
        "databuddy",
        "api_key",
        frozenset({"write:llm"}),
        ("shop.example", "*.blog.example"),
    )
    assert known(data, VALUE) == expected


def test_a_value_added_again_has_the_same_id_and_in_another_project_it_fails(data: str) -> None:
    first = added(data, "--project", "shop", "--dialect", "databuddy", "--value", VALUE)
    assert added(data, "--project", "shop", "--dialect", "databuddy", "--value", VALUE) == first
    again = ("keys", "add", "--data", data, "--project", "blog", "--dialect", "databuddy", "--value", VALUE)
    assert told(*again) == (1, "", f"Error: this api_key already belongs to project shop, as {first['id']}\n")


def test_a_revoked_key_cannot_be_added_again(data: str) -> None:
    made = added(data, "--dialect", "databuddy", "--value", VALUE)
    said = f"{made['id']} is revoked: api_key of databuddy, project default\n"
    assert told("keys", "revoke", made["id"], "--data", data) == (0, said, "")
    assert told("keys", "add", "--data", data, "--dialect", "databuddy", "--value", VALUE) == (
        1,
        "",
        f"Error: this api_key was revoked ({made['id']}) and cannot be added again; use another value\n",
    )


def test_rotate_prints_the_successor(data: str) -> None:
    old = added(data, "--project", "shop", "--dialect", "databuddy", "--value", VALUE, "--scope", "write:llm")
    code, out, err = told("keys", "rotate", old["id"], "--grace", "3600", "--json", "--data", data)
    new = json.loads(out)
    assert (code, err, new) == (0, "", {**old, "id": new["id"], "value": new["value"]})
    before, after = known(data, VALUE), known(data, new["value"])
    assert before is not None
    assert before.expires_at is not None
    assert after == Grant(new["id"], "shop", "databuddy", "api_key", frozenset({"write:llm"}))


def test_a_grace_that_ends_after_all_times_is_a_wrong_use(data: str) -> None:
    made = added(data, "--dialect", "browsee")
    code, out, err = told("keys", "rotate", made["id"], "--grace", "9" * 20, "--data", data)
    last = f"Error: Invalid value for '--grace': {'9' * 20} is not in the range 0<=x<=3162240000."
    assert (code, out, err.splitlines()[-1]) == (2, "", last)


def test_list_shows_who_has_what_and_no_secret(data: str) -> None:
    secret = added(data, "--project", "shop", "--dialect", "databuddy", "--value", VALUE)
    site = added(data, "--project", "blog", "--dialect", "databuddy", "--kind", "website", "--origin", "a.example")
    told("keys", "revoke", secret["id"], "--data", data)
    code, out, err = told("keys", "list", "--data", data)
    assert (code, err, VALUE in out) == (0, "", False)
    rows = [line.split() for line in out.splitlines() if line.strip()]
    shown = [[row[0], *row[1:5], row[-1]] for row in rows if row[0].startswith("key_")]
    listed = [json.loads(line) for line in run("keys", "list", "--json", "--data", data).stdout.splitlines()]
    assert [row[-2] for row in rows if row[0].startswith("key_")] == [f"{each['created'][:19]}Z" for each in listed]
    assert shown == [
        [secret["id"], "shop", "databuddy", "api_key", "...cdef", "revoked"],
        [site["id"], "blog", "databuddy", "website", site["value"], "active"],
    ]


def test_list_is_also_json_and_narrowed(data: str) -> None:
    added(data, "--project", "shop", "--dialect", "databuddy", "--value", VALUE)
    site = added(data, "--project", "blog", "--dialect", "databuddy", "--kind", "website", "--origin", "a.example")
    code, out, err = told("keys", "list", "--json", "--project", "blog", "--data", data)
    found = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert found == {
        "id": site["id"],
        "project": "blog",
        "dialect": "databuddy",
        "kind": "website",
        "masked": site["value"],
        "hint": site["value"],
        "scopes": ["track:events", "write:llm"],
        "origins": ["a.example"],
        "created_at": found["created_at"],
        "revoked_at": None,
        "expires_at": None,
        "created": from_millis(found["created_at"]),
        "revoked": None,
        "expires": None,
        "status": "active",
        "standing": "active",
        "label": "",
        "rotated": False,
        "last_used": None,
        "last_used_at": None,
        "requests_today": 0,
        "rejected_today": 0,
    }
    assert told("keys", "list", "--json", "--dialect", "browsee", "--data", data) == (0, "", "")
    assert told("keys", "list", "--dialect", "browse", "--data", data) == (
        1,
        "",
        "Error: there is no dialect 'browse'; did you mean browsee?\n",
    )
    assert told("keys", "list", "--project", "blgo", "--data", data) == (
        1,
        "",
        "Error: there is no project 'blgo'; did you mean blog?\n",
    )


def test_a_credential_is_added_with_a_label_and_an_end_and_both_are_updated(data: str) -> None:
    named = ("--label", "Till 2", "--expires", "2099-01-02T03:04:05Z", "--origin", "a.example")
    made = added(data, "--dialect", "databuddy", "--value", VALUE, *named)
    before = listed(data)
    assert (before["label"], before["expires"], before["status"]) == ("Till 2", "2099-01-02T03:04:05.000Z", "active")
    said = f"{made['id']} is updated: api_key of databuddy, project default\n"
    update = ("keys", "update", made["id"], "--data", data)
    assert told(*update, "--expires", "never", "--scope", "write:llm", "--origin", "*") == (0, said, "")
    after = {**before, "expires_at": None, "expires": None, "scopes": ["write:llm"], "origins": ["*"]}
    assert listed(data) == after
    code, out, err = told(*update, "--label", "", "--json")
    assert (code, json.loads(out), err) == (0, {**after, "label": ""}, "")


def listed(data: str) -> dict[str, Any]:
    [found] = [json.loads(line) for line in run("keys", "list", "--json", "--data", data).stdout.splitlines()]
    assert isinstance(found, dict)
    return found


def test_a_rotated_credential_whose_grace_is_over_has_not_expired(data: str) -> None:
    made = added(data, "--dialect", "databuddy", "--value", VALUE)
    told("keys", "rotate", made["id"], "--data", data)
    old, new = [json.loads(line) for line in run("keys", "list", "--json", "--data", data).stdout.splitlines()]
    assert [(each["rotated"], each["status"], each["standing"]) for each in (old, new)] == [
        (True, "rotated", "expired"),
        (False, "active", "active"),
    ]


def test_an_update_that_says_nothing_or_nonsense_is_refused(data: str) -> None:
    update = ("keys", "update", added(data, "--dialect", "databuddy")["id"], "--data", data)
    wrong = {
        (): (2, "give what is to change: --label, --scope, --origin or --expires"),
        ("--expires", "soon"): (
            2,
            "Invalid value for '--expires': 'soon' is no time; give one such as 2030-01-02T03:04:05Z, a span from now "
            "such as 90d, or never",
        ),
        ("--expires", "2020-01-02T03:04:05Z"): (
            1,
            "the end of the credential is not in the future; to end it now, revoke it",
        ),
        ("--scope", "read"): (1, "databuddy has no scope 'read'; its scopes are: track:events, write:llm"),
        ("--label", "a" * 81): (1, "the label has 81 characters; at most 80 are allowed"),
    }
    for arguments, (code, problem) in wrong.items():
        found, out, err = told(*update, *arguments)
        assert (found, out, err.splitlines()[-1]) == (code, "", f"Error: {problem}")


def test_a_narrow_terminal_gets_a_block_for_each_credential_and_no_id_is_broken(data: str) -> None:
    site = added(data, "--dialect", "databuddy", "--kind", "website", "--label", "Shop [bold]", "--origin", "a.example")
    code, shown = on_a_terminal(["keys", "list", "--data", data])
    created = from_millis(listed(data)["created_at"])
    assert (code, shown) == (
        0,
        f"id         {site['id']}\n"
        "project    default\n"
        "dialect    databuddy\n"
        "kind       website\n"
        f"value      {site['value']}\n"
        "label      Shop [bold]\n"
        "scopes     track:events, write:llm\n"
        "origins    a.example\n"
        "last used  never\n"
        "today      0\n"
        "expires    never\n"
        f"created    {str(created)[:19]}Z\n"
        "status     active\n\n",
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--dialect", "tranthr"], "there is no dialect 'tranthr'; did you mean tranthor?"),
        (["--dialect", "nobody"], f"there is no dialect 'nobody'; choose from: {', '.join(DIALECTS)}"),
        (["--dialect", "browsee", "--kind", "x"], "there is no kind of browsee credential 'x'; choose from: api_key"),
        (["--dialect", "appizer", "--scope", "x"], "appizer has no scope 'x'; its scopes are: read, write"),
    ],
)
def test_an_unknown_name_is_an_error_of_one_line_and_makes_nothing(
    arguments: list[str], problem: str, data: str
) -> None:
    assert told("keys", "add", "--data", data, *arguments) == (1, "", f"Error: {problem}\n")
    assert list(Path(data).iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--dialect", "browsee", "--value", "a", "--value-stdin"], "--value and --value-stdin exclude each other"),
        ([], "Missing option '--dialect'."),
        (["--dialect", "browsee", "--data", ""], "Invalid value for '--data': the path is empty"),
    ],
)
def test_a_wrong_use_exits_2_and_makes_nothing(arguments: list[str], problem: str, data: str) -> None:
    code, out, err = told("keys", "add", "--data", data, *arguments)
    assert (code, out, err.splitlines()[-1]) == (2, "", f"Error: {problem}")
    assert list(Path(data).iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--value", ""], "the value of the api_key is empty"),
        (["--value", "a" * 513], "the value of the api_key has 513 characters; at most 512 are allowed"),
        (["--value", "a\tb"], "the value of the api_key contains control characters or is not UTF-8"),
        (["--project", "../x"], "'../x' is not a valid project name: use up to 64 letters, digits, '.', '_' and '-'"),
        (["--origin", "null"], "invalid origin: 'null' is the Origin of pages that hide theirs; it names no host"),
    ],
)
def test_what_cannot_be_kept_is_told_in_one_line(arguments: list[str], problem: str, data: str) -> None:
    assert told("keys", "add", "--data", data, "--dialect", "browsee", *arguments) == (1, "", f"Error: {problem}\n")

    assert list(Path(data).iterdir()) == []


COMMANDS = (
    ["keys", "add", "--dialect", "browsee"],
    ["keys", "list"],
    ["keys", "revoke", "key_x"],
    ["keys", "rotate", "key_x"],
    ["keys", "update", "key_x", "--label", ""],
    ["admin-token"],
    ["events", "export"],
    ["events", "tail"],
    ["events", "count"],
    ["events", "retranslate"],
    ["outcomes"],
    ["quarantine", "list"],
    ["quarantine", "list", "--rejected"],
    ["quarantine", "show", "1"],
    ["quarantine", "replay", "1"],
    ["quarantine", "drop", "1"],
    ["receipt", "1"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_directory_that_does_not_exist_is_an_error_of_one_line_and_is_not_made(
    command: list[str], tmp_path: Path
) -> None:
    typo, file, below = tmp_path / "typo", tmp_path / "file", tmp_path / "file" / "data"
    file.touch()
    said = f"Error: there is no directory {typo}; `gateway serve --data {typo}` makes it at its first start\n"
    assert told(*command, "--data", str(typo)) == (1, "", said)
    assert told(*command, "--data", str(file)) == (1, "", f"Error: {file} is not a directory\n")
    assert told(*command, "--data", str(below)) == (1, "", f"Error: cannot use {below}: Not a directory\n")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"")]


@pytest.mark.parametrize(
    "command", [["list"], ["revoke", "key_x"], ["rotate", "key_x"], ["update", "key_x", "--label", ""]]
)
def test_reading_keys_makes_no_file_in_a_directory_without_any(command: list[str], data: str) -> None:
    said = f"Error: {data} holds no credentials yet; `gateway keys add` creates the first\n"
    assert (told("keys", *command, "--data", data), list(Path(data).iterdir())) == ((1, "", said), [])


@pytest.mark.parametrize("command", [["revoke"], ["rotate"], ["update", "--label", "x"]])
def test_an_unknown_id_is_told_in_one_line(command: list[str], data: str) -> None:
    added(data, "--dialect", "browsee")
    said = "Error: there is no credential 'key_x'; `gateway keys list` shows them\n"
    assert told("keys", *command, "key_x", "--data", data) == (1, "", said)
    mistyped = added(data, "--dialect", "browsee")["id"]
    said = f"Error: there is no credential '{mistyped}0'; did you mean {mistyped}?\n"
    assert told("keys", *command, f"{mistyped}0", "--data", data) == (1, "", said)


def test_admin_token_prints_a_new_one_each_time(data: str) -> None:
    first, second = (told("admin-token", "--data", data) for _ in range(2))
    assert [(code, err) for code, _, err in (first, second)] == [(0, ""), (0, "")]
    with KeyFile.open(Path(data) / "keys.db") as keys:
        assert [keys.admin().verify(out.strip()) for _, out, _ in (first, second)] == [False, True]


def test_the_environment_may_name_the_directory(data: str) -> None:
    done = run("keys", "add", "--dialect", "browsee", "--value", "v", "--json", env={"GATEWAY_DATA": data})
    assert (json.loads(done.stdout)["value"], known(data, "v", "browsee") is not None) == ("v", True)
