"""What a request meets before any route: connections, bodies, headers, and how an error reads."""
