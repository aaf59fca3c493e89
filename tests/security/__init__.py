"""The claims of docs/security.md, each tested against a running gateway."""
