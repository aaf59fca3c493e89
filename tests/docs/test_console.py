"""docs/console.md: its configuration is read, its commands are typed, its proxy is a real one."""

import re
import tomllib
from pathlib import Path

import click
import requests

from gateway.cli.main import main
from gateway.config import load
from gateway.console.api_document import document
from gateway.console.application import PAGES
from gateway.console.page import NAVIGATION
from tests.console.processes import LINK, free_port
from tests.docs.expectations import PATIENCE, program
from tests.docs.proxies import TEMPORARY, certify, proxying
from tests.docs.readme import ROOT, blocks, paste, rows
from tests.kit.serving import serving

PAGE = (ROOT / "docs" / "console.md").read_text("utf-8")


def test_its_configuration_is_one() -> None:
    [settings] = blocks("toml", PAGE)
    named = tomllib.loads(settings)["server"]
    texts = {key: value if isinstance(value, str) else ",".join(value) for key, value in named.items()}
    variables = {f"GATEWAY_{key.upper()}": text for key, text in texts.items()}
    server = load(environ=variables).server
    assert (server.console_hosts, server.public_url) == (tuple(named["console_hosts"]), named["public_url"])
    assert [str(each) for each in server.trusted_proxies] == ["127.0.0.1/32"]


def test_its_commands_are_those_of_the_gateway() -> None:
    typed = re.findall(r"^gateway (serve|console) ([^#\n]*)", "\n".join(blocks("sh", PAGE)), re.MULTILINE)
    assert [name for name, _ in typed] == ["serve", "serve", "console", "console"]
    for name, arguments in typed:
        command: click.Command = main.commands[name]
        command.make_context(name, arguments.split())


def test_its_table_has_every_page_and_its_paths_are_documented() -> None:
    assert [row[0] for row in rows(PAGE)] == [title for _path, title in NAVIGATION]
    paths = set(re.findall(r"http://127\.0\.0\.1:8081(/api/\w+)", PAGE))
    assert (paths - document(PAGES)["paths"].keys(), bool(paths)) == (set(), True)


def test_its_requests_are_answered_and_its_proxy_leads_to_the_console(tmp_path: Path) -> None:
    program("nginx")
    certify(tmp_path)
    port = free_port()
    config = tmp_path / "gateway.toml"
    config.write_text(blocks("toml", PAGE)[0])
    with serving(tmp_path / "data", "--config", str(config), "--console", f"127.0.0.1:{port}") as served:
        [(console, _)] = LINK.findall(served.greeting)
        [token] = re.findall(r"admin_\w+", served.greeting)[:1]
        asked = [block for block in blocks("sh", PAGE) if block.startswith("curl ")]
        overview, live = (block.replace("http://127.0.0.1:8081", console).replace("$TOKEN", token) for block in asked)
        assert set(tomllib.loads(config.read_text())) == {"server"}
        answered = paste(f"{overview.rstrip()} --fail --silent")
        assert (answered.returncode, answered.stdout[:1]) == (0, "{")
        streamed = paste(f"{live.rstrip()} --fail --silent --max-time 1")
        assert (streamed.returncode, streamed.stdout.partition(":")[0]) == (28, "event")  # it would go on for ever

        [block] = blocks("nginx", PAGE)
        tls = f"ssl_certificate {tmp_path}/fullchain.pem; ssl_certificate_key {tmp_path}/privkey.pem;"
        tls_port = free_port()
        block = block.replace("listen 443 ssl;", f"listen 127.0.0.1:{tls_port} ssl; {tls}").replace("8081", str(port))
        proxy = tmp_path / "nginx.conf"
        proxy.write_text(f"events {{}}\nhttp {{\n{TEMPORARY}\naccess_log off;\n{block}}}\n")
        with proxying(tmp_path, tls_port, proxy):
            answer = requests.post(
                f"https://localhost:{tls_port}/login",
                data={"token": token},
                headers={"Host": "console.example.com", "Origin": "https://console.example.com"},
                verify=str(tmp_path / "fullchain.pem"),
                timeout=PATIENCE,
                allow_redirects=False,
            )
        assert (answer.status_code, "Secure" in answer.headers["Set-Cookie"]) == (303, True), answer.text
        assert served.stop() == 0
