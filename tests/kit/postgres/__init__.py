"""Real PostgreSQL servers for tests, on loopback: cluster.py and bouncer.py, and the fixtures on top of them."""
