"""Each example is run as a person would run it; what it needs from the machine and does not find is said in a skip."""
