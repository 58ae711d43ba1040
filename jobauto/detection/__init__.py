"""Finding faults and opening jobs for them."""
