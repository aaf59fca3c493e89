"""`python -m gateway` is the `gateway` command; nothing else lives here."""

from gateway.cli import main

main()
