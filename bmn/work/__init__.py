"""What the nine queues do: the product, beside the engine in `jobs`."""
