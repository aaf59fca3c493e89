"""What a server listens on: addresses, a Unix socket, sockets that were handed over, and TLS on them."""
