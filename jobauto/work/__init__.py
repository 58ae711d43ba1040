"""What is done in the background: the daily schedule, its tick, and tasks for workers."""
