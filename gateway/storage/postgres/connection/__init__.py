"""Reaching the database: its address, one connection that is opened anew, and what its errors mean. No table here."""
