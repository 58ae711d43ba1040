"""The people who use the program, as an admin sees them."""
