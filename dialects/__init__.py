"""The dialects that come with the gateway, one folder a vendor."""
