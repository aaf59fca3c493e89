"""The path of an event, from a request to the vendor's answer. No sockets, no SQL, no files."""
