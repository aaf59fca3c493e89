"""`gateway dialects`: what is installed, and what an author of a dialect needs."""

import click

from gateway.cli.dialects.checking import check
from gateway.cli.dialects.listing import list_dialects, routes
from gateway.cli.dialects.new import new
from gateway.cli.options import json_option


@click.group(short_help="List the installed dialects.", invoke_without_command=True)
@json_option
@click.pass_context
def dialects(context: click.Context, as_json: bool) -> None:
    """List the installed dialects: their endpoints, kinds of credentials, scopes and switches."""
    if context.invoked_subcommand is None:
        context.invoke(list_dialects, as_json=as_json)
    elif as_json:
        raise click.UsageError(f"write --json after {context.invoked_subcommand}")


for command in (list_dialects, routes, new, check):
    dialects.add_command(command)
