"""`gateway keys` and `gateway admin-token`: commands.py has the group, the other modules what is longer."""
