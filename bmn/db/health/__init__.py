"""Of the database itself: which deployment it belongs to, its clock, and whether it works."""
