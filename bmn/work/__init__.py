"""What the queues do: the product, beside the engine in `jobs`."""
