"""The commands of `gateway`, a module a noun; they read options, call the parts and print. Nothing else is here."""
