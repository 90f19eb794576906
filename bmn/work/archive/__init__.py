"""What retention deletes is written to the object store first, where a setting says so, and brought back from there."""
