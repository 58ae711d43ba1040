"""What an admin may change while the program runs: rules and schedule."""
