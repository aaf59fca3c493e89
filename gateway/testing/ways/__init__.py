"""The ways in which a case is sent: without IO, to what `gateway serve` runs, and to a service that mounts it."""
