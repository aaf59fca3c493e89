"""What can go wrong with several gateways on PostgreSQL: real servers, real gateways, an oracle outside."""
