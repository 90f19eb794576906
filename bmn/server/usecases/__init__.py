"""What several doors do alike: routes, pages and sockets share these."""
