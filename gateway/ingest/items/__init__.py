"""A request's items, each checked, translated and classified. No requests, no store."""

from gateway.ingest.items.classify import Classified, ItemClassifier
from gateway.ingest.items.event_line import IsBot
from gateway.ingest.items.not_stored import LineWithFiles, NotStored

__all__ = ["Classified", "IsBot", "ItemClassifier", "LineWithFiles", "NotStored"]
