"""`bmn mcp`: the service as tools of the Model Context Protocol, over the client that every command uses."""
