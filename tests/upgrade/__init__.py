"""An installation that one release has filled is taken over by another, and nothing is lost."""
