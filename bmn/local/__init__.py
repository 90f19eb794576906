"""What `bmn serve` and `bmn worker` run on this machine."""
