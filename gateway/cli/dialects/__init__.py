"""`gateway dialects`: listing them, writing a new one, and checking one."""
