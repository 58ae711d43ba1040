"""The forms of the pages of the same names."""
