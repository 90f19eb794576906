"""What operators look at and set: alerts, incidents, queues and workers."""
