"""One module a generator: logos, mockups, bundles, videos."""
