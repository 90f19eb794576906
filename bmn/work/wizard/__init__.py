"""The brand wizard: one step, its tools and its prompts."""
