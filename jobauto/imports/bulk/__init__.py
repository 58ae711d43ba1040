"""Readings into the database in bulk, by the fastest way that each engine has."""
