"""The checks of a dialect, a module for each family: what every dialect promises, whatever its vendor."""
