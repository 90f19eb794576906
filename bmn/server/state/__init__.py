"""What one server process holds: connections, sessions, figures, and what is kept for a moment."""
