"""A fleet to look at: made up, but with the seasons, weather and faults of a real one."""
