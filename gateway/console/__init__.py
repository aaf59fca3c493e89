"""The operator's web page and its API, on an address of its own: what came in, what did not, what to do."""
