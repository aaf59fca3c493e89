"""A team that leaves its vendors by docs/migrate/: its folder, its packages, its web site and its gateway."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import attrs

from tests.docs.migrate.guide import MIGRATIONS, Guide, guide
from tests.docs.readme import paste
from tests.kit.serving import PATIENCE, POLL, Served
from tests.sdk import programs
from tests.sdk.programs import Drive
from tests.sdk.site import HOST, HTML, Site


def environ(found: Path) -> Mapping[str, str]:
    """Return the environment of the team's shells and servers, which find `gateway` in a folder of programs."""
    theirs = {name: value for each in MIGRATIONS.values() for name, value in each.environ.items()}
    return {**os.environ, **theirs, "PATH": f"{found}:{os.environ['PATH']}"}


def typed(block: str, folder: Path, environ: Mapping[str, str]) -> str:
    """Type a block of commands in a folder; return what they printed."""
    done = paste(f"set -e\n{block}", folder, environ)
    assert (done.returncode, "rror" in done.stderr) == (0, False), (block, done)
    return done.stdout


def install(folder: Path) -> None:
    """Give a folder the packages of a team, under the names that they are published by."""
    modules = folder / "node_modules"
    packages = {name: place for each in MIGRATIONS.values() for name, place in each.packages.items()}
    for name, installed in {**packages, ".bin/esbuild": ".bin/esbuild"}.items():
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).symlink_to(programs.MODULES / installed)
    for name, script in [made for each in MIGRATIONS.values() for made in each.stand_ins.items()]:
        (modules / name).mkdir(parents=True)
        (modules / name / "package.json").write_text('{"type": "module", "exports": "./index.js"}', "utf-8")
        (modules / name / "index.js").write_text(script, "utf-8")


@attrs.frozen(kw_only=True)
class Team:
    """`by_hand` is what each vendor's first event, sent by hand, was answered; `printed` what blocks have printed."""

    folder: Path
    environ: Mapping[str, str]
    gateway: Served
    site: Site
    by_hand: Mapping[str, str]
    printed: dict[str, str] = attrs.field(factory=dict)

    def guide(self, vendor: str) -> Guide:
        """Return a vendor's page for this team. The vendor's CDN is the team's own server under another name."""
        return guide(vendor, gateway=self.gateway.url, cdn=f"http://127.0.0.1:{self.site.port}")

    def typed(self, block: str) -> str:
        """Type a block of commands in the team's folder, unless another page had it too; return what it printed."""
        if block not in self.printed:
            self.printed[block] = typed(block, self.folder, self.environ)
        return self.printed[block]

    def interrupted(self, block: str, lines: int) -> list[str]:
        """Type a command that runs until Ctrl-C, and press that once it has printed so many lines; return all."""
        printed, deadline = self.folder / "printed", time.monotonic() + PATIENCE
        with printed.open("w") as stdout:
            process = subprocess.Popen(
                ["sh", "-c", block], cwd=self.folder, env=self.environ, stdout=stdout, start_new_session=True
            )
        while printed.read_text("utf-8").count("\n") < lines and process.poll() is None:
            assert time.monotonic() < deadline, block
            time.sleep(POLL)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE)
        return printed.read_text("utf-8").splitlines()

    def node(self, program: str) -> str:
        """Run a program of the team's server in Node; return what it printed."""
        (self.folder / "server.mjs").write_text(program, "utf-8")
        done = subprocess.run(
            [programs.found("node"), "server.mjs"],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=programs.PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def bundled(self, drive: Drive, component: str, start: str, suffix: str) -> bytes:
        """Build a page's script from a component and a line that starts it, as the team's build does."""
        (self.folder / f"component.{suffix}").write_text(component, "utf-8")
        (self.folder / "start.js").write_text(start, "utf-8")
        return str(drive("bundle.mjs", {"entry": str(self.folder / "start.js")})).encode()

    def page(self, body: str, policy: str) -> str:
        """Serve a page under a Content Security Policy; return its address."""
        self.site.policy = policy
        document = f"<!doctype html><html lang=en><head><meta charset=utf-8><title>Shop</title></head><body>{body}"
        self.site.files["/shop.html"] = (HTML, document.encode())
        return f"http://{HOST}:{self.site.port}/shop.html"
