"""What the sandbox draws: logos, products, bundles, films."""
