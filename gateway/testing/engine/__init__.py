"""The checks of a storage engine, a module for each family: what every engine promises, whatever it writes to."""
