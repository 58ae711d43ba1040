"""Readings as they are stored: which are to be classified, and what their qualities are."""
