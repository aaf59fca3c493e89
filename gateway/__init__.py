"""A self-hosted gateway that speaks analytics vendors' ingestion protocols; only the version lives here."""

__version__ = "0.2.0.dev0"
