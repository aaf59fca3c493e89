"""How events lie in the log: chunks of many, merged where they are small, compressed if asked, found by their time."""
