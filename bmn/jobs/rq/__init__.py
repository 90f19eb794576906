"""RQ's side of a job: its view of the rows, and a worker's registration."""
