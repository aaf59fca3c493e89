"""Real PostgreSQL servers on loopback, for checks: started once per process, with databases to lend, and never left.

Nothing here needs pytest. `lending.py` is what a check uses.
"""
