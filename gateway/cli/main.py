"""The `gateway` command: the group of all commands, and how errors are printed."""

import sys
import traceback
from typing import Any

import click

from gateway import __version__
from gateway.cli.backup.commands import backup
from gateway.cli.check_config import check_config
from gateway.cli.console import console
from gateway.cli.dialects.commands import dialects
from gateway.cli.dialects.schemas import schemas
from gateway.cli.erase import erase
from gateway.cli.events.commands import events
from gateway.cli.importing.commands import import_files
from gateway.cli.keys.commands import admin_token, keys
from gateway.cli.migration.commands import migration
from gateway.cli.openapi import openapi
from gateway.cli.outcomes import outcomes
from gateway.cli.output.streams import standard_streams
from gateway.cli.quarantine import quarantine
from gateway.cli.receipt import receipt
from gateway.cli.serve import serve
from gateway.cli.storage.commands import storage
from gateway.config import ConfigError
from gateway.ingest.registry import RegistryError
from gateway.ingest.schema import BrokenSchema
from gateway.keys.credential import KeyFileError
from gateway.operate.formats.encoder import FormatError
from gateway.printable import printable
from gateway.store_error import StoreError

EXPECTED = (ConfigError, KeyFileError, RegistryError, BrokenSchema, StoreError, FormatError, OSError)
"""Errors that are printed in one line. Any other one is a bug, and shows its traceback."""


class Failure(click.ClickException):
    """A command failed; its reason is printed on stderr in one line, and the exit code is 1."""

    def __init__(self, error: Exception) -> None:
        text = str(error)
        if isinstance(error, OSError) and text.startswith("[Errno"):  # the number tells people nothing
            text = f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
        # Escaped here: where standard error is no terminal, click cuts out what a terminal would obey.
        super().__init__(printable(" ".join(text.split())) or type(error).__name__)


class _Commands(click.Group):
    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command and exit, with its output whole. A reader (`| head`) that has enough is not a failure."""
        code: Any = 0
        try:
            with standard_streams():
                try:
                    super().main(*arguments, **options)
                except SystemExit as ended:
                    code = ended.code
                except OSError:
                    raise
                except Exception:  # a bug; its traceback may hold what a client wrote, so it is printed escaped
                    sys.stderr.write(traceback.format_exc())
                    code = 1
        except BrokenPipeError:
            pass
        except OSError as error:  # of the output of --help, or of the last bytes
            Failure(error).show()
            code = 1
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return None
        except EXPECTED as error:
            raise Failure(error) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, package_name="event-gateway", prog_name="gateway")
def main() -> None:
    """A self-hosted gateway that speaks analytics vendors' ingestion protocols."""


for command in (
    serve,
    console,
    keys,
    admin_token,
    events,
    outcomes,
    quarantine,
    import_files,
    erase,
    receipt,
    storage,
    backup,
    dialects,
    openapi,
    migration,
    schemas,
    check_config,
):
    main.add_command(command)
