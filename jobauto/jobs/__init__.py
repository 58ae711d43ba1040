"""Work orders: lists of them, and the steps of the work."""
