"""The collector's HTTP and WebSocket interface, under /api/v1, and the pages under /en and /zh."""
