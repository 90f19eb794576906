"""Who asks, what they may, and whose records they mean: what each route looks at first."""
