"""The formats in which events are taken along: an encoder each, from pages of the log to bytes. No IO here."""
