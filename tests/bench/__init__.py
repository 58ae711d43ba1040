"""What the program costs, measured against the least that its work needs, side by side in one run."""
