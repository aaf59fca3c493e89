"""The credentials of all gateways of a database: its tables, the operations on them, and noticing changes."""
