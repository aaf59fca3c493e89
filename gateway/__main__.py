"""`python -m gateway` is the `gateway` command; nothing else lives here."""

from gateway.cli.main import main

main()
