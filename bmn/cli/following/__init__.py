"""Following jobs on a terminal until they end."""
