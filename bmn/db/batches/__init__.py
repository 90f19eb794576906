"""Many jobs as one thing: actions on a selection, and kits."""
